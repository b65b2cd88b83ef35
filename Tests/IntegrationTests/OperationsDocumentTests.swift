import Foundation
import TestSupport
import Testing

@Suite("docs/operations.md")
struct OperationsDocumentTests {
    @Test("Every command of the document runs, and what was there at the end of the week is there after the restores")
    func document() async throws {
        let site = try await Site.issuing(options: ["--copyable-key"])
        let card = try await site.makeAgent()
        try await site.makeArchivalRequest("alice", format: "token-wrapped")
        let issuing = site.path("issuing")
        try await site.operate(
            "request", "submit", "--instance", issuing, "--out", site.path("alice.crt"), site.path("alice.cmc"))
        let serial = try await site.certify("www")
        try await site.operate("certificate", "revoke", "--instance", issuing, serial)
        try await site.operate("crl", "publish", "--instance", issuing)
        let work = site.path("work")
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: false)
        try FileManager.default.copyItem(atPath: card, toPath: "\(work)/card.yaml")
        try FileManager.default.copyItem(
            atPath: await site.makeToken("hsm2", beside: "issuing"), toPath: "\(work)/new-hsm.yaml")
        try site.secret("correct horse battery staple\n", to: "work/backup.password")
        let script = try Programs.script(ofDocument: "operations.md")
        #expect(script.contains("signet backup create --incremental") && script.contains("signet restore --force"))
        let result = try await run(
            ["bash", "-c", "set -euo pipefail; cd '\(work)'\n" + script],
            environment: [
                "SIGNET_INSTANCE": issuing, "CA_SHA256": try await site.issuingSHA256(), "PATH": Programs.searchPath,
            ])
        #expect(result.status == 0, "\(result.text)\n\(result.stderr)")
        #expect(result.text.contains("Archived keys: 1 opened, 0 failed\n"))
        #expect(result.text.components(separatedBy: "CA key 0: proven pkcs11:").count == 5)
        let names = try FileManager.default.contentsOfDirectory(atPath: work).sorted()
        #expect(names == ["backup.password", "backups", "card.yaml", "moved", "moving", "new-hsm.yaml", "restored"])
        #expect(result.text.contains("copy-keys: done: 1 keys are on hsm2\n"))
        #expect(result.text.contains("The CA has moved to hsm2.\n"))
        for instance in ["\(work)/moved", "\(work)/restored"] {
            let list = try await site.operate("request", "list", "--instance", instance, "--disposition", "revoked")
            #expect(list.text.contains("www.example.test"))
        }
    }
}

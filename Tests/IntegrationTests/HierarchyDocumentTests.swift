import Foundation
import TestSupport
import Testing

@Suite("docs/hierarchy.md")
struct HierarchyDocumentTests {
    @Test("Every command of the document runs, and openssl takes every chain, old and new")
    func document() async throws {
        let site = try Site.empty()
        var environment = ["PATH": Programs.searchPath]
        for name in ["root", "policy", "issuing"] {
            environment["\(name.uppercased())_TOKEN"] = try await site.makeToken(name)
        }
        let work = site.path("work")
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: false)
        let result = try await run(
            ["bash", "-c", "set -euo pipefail; cd '\(work)'\n" + Programs.script(ofDocument: "hierarchy.md")],
            environment: environment)
        #expect(result.status == 0, "\(result.text)\n\(result.stderr)")
        #expect(result.text.components(separatedBy: "www.crt: OK").count == 4)
        #expect(result.text.contains("www-2.crt: OK"))
        #expect(result.text.contains("DNS:partner.example.test"))
        try await self.judgeOtherwise(site)
        try await self.judge(site, work)
    }

    /// GnuTLS and Python's `cryptography` take the three levels, with the root as it was and renewed with the same key, and no
    /// chain of which a part is missing. Links have a suite of their own: both count them as a level.
    private func judgeOtherwise(_ site: Site) async throws {
        let (leaf, below) = ("work/www.crt", ["work/issuing.crt", "work/policy.crt"])
        for root in ["work/root.pem", "work/root-2.pem"] {
            #expect(try await site.certtool([leaf] + below + [root]))
            #expect(try await !site.certtool([leaf] + below.dropFirst() + [root]))
            #expect(
                try await site.cryptography(leaf: leaf, between: "work/between.pem", root: root, host: "www"))
            #expect(
                try await !site.cryptography(leaf: leaf, between: "work/policy.crt", root: root, host: "www"))
        }
        // A root with another key needs the link between them.
        #expect(try await !site.certtool([leaf] + below + ["work/root-3.pem"]))
        #expect(
            try await !site.cryptography(leaf: leaf, between: "work/between.pem", root: "work/root-3.pem", host: "www"))
    }

    /// What must not be accepted is not: a CA below the path length, and a revoked CA in between.
    private func judge(_ site: Site, _ work: String) async throws {
        let request = "\(work)/below.req"
        _ = try await succeed([
            "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            "\(work)/below.key", "-out", request, "-subj", "/CN=Below",
        ])
        // The issuing CA's path length is 0, because that of the policy CA is 1.
        let below = try await site.signet(
            "request", "submit", "--instance", "\(work)/issuing-ca", "--template", "SubCA", "--out",
            "\(work)/below.crt",
            request)
        #expect(below.status != 0)
        #expect(!FileManager.default.fileExists(atPath: "\(work)/below.crt"))
        let serial = try await succeed(["openssl", "x509", "-in", "\(work)/issuing.crt", "-noout", "-serial"]).text
            .split(separator: "=").last.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
        try await site.operate(
            "certificate", "revoke", "--instance", "\(work)/policy-ca", "--reason", "cessationOfOperation",
            try #require(serial))
        try await site.operate("crl", "publish", "--instance", "\(work)/policy-ca")
        let script = """
            cd '\(work)'; for ca in root policy issuing; do openssl crl -in "$ca-ca/publish/"*CA.crl -inform DER; done >new.pem
            openssl verify -crl_check_all -CRLfile new.pem -CAfile root.pem -untrusted between.pem www.crt
            """
        let verdict = try await run(["bash", "-c", script])
        #expect(verdict.status == 2)
        #expect((verdict.text + verdict.stderr).contains("error 23 at 1 depth lookup: certificate revoked"))
    }
}

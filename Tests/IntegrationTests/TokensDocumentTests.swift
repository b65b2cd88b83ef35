import Foundation
import TestSupport
import Testing

@Suite("docs/tokens.md")
struct TokensDocumentTests {
    @Test("Every command of the document runs: a CA is made and signs with the profile that the doctor wrote")
    func document() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("hsm")
        let work = site.path("work")
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: false)
        // A device that nobody has described: the token file names no profile.
        let lines = try String(contentsOfFile: token, encoding: .utf8).split(separator: "\n")
        let described = lines.filter { !$0.hasPrefix("profile:") }.joined(separator: "\n") + "\n"
        try described.write(toFile: "\(work)/hsm.yaml", atomically: true, encoding: .utf8)
        let result = try await run(
            ["bash", "-c", "set -euo pipefail; cd '\(work)'\n" + Programs.script(ofDocument: "tokens.md")],
            environment: ["PATH": Programs.searchPath, "XDG_STATE_HOME": site.path("state")])
        #expect(result.status == 0, "\(result.text)\n\(result.stderr)")
        #expect(result.text.contains("my-hsm.yaml: good."))
        #expect(result.text.contains(", profile my-hsm\n"))
        let list = try #require(
            FileManager.default.contentsOfDirectory(atPath: "\(work)/test-ca/publish").first { $0.hasSuffix(".crl") })
        let judged = try await run([
            "bash", "-c",
            "cd '\(work)/test-ca/publish' && openssl crl -inform DER -in '\(list)' -noout "
                + "-CAfile <(openssl x509 -inform DER -in 'Test CA.crt')",
        ])
        #expect((judged.text + judged.stderr).contains("verify OK"))
    }
}

import Foundation
import TestSupport
import Testing

@Suite("A disk that takes nothing more")
struct RefusingToSignTests {
    @Test("The CA does not ask the token to sign when the database cannot be written, and goes on when it can")
    func fullDisk() async throws {
        let site = try Site.empty()
        try await site.makeRoot()
        let request = try await site.makeRequest("www")
        var refusals = 0
        for kibibytes in [34, 44, 56, 72] {
            let trace = site.path("trace-\(kibibytes)")
            let certificate = site.path("www-\(kibibytes).crt")
            // A file that may not grow further is what a process sees of a full disk; the signal for it is ignored.
            let result = try await run([
                "bash", "-c", "trap '' XFSZ; ulimit -f \(kibibytes); exec \"$@\"", "bash", Programs.signet, "request",
                "submit", "--instance", site.path("root"), "--template", "SubCA", "--out", certificate,
                "--trace-pkcs11", trace, request,
            ])
            let calls = FileManager.default.contents(atPath: trace).map { String(decoding: $0, as: UTF8.self) } ?? ""
            if result.status != 0 {
                #expect(!FileManager.default.fileExists(atPath: certificate))
                if result.stderr.contains("ERROR_WRITE_FAULT"), !calls.contains("C_Sign") { refusals += 1 }
            }
        }
        #expect(refusals > 0)
        let settled = try await site.operate(
            "request", "submit", "--instance", site.path("root"), "--template", "SubCA", "--out", site.path("www.crt"),
            request)
        #expect(settled.status == 0)
        try await site.operate("audit", "verify", "--instance", site.path("root"))
    }
}

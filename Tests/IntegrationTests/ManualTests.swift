import Foundation
import TestSupport
import Testing

@Suite("Manual pages and completion")
struct ManualTests {
    @Test("Every command has a page that groff formats without a warning")
    func pages() async throws {
        let directory = try TemporaryDirectory()
        let help = try await succeed([Programs.signet, "--experimental-dump-help"])
        try await succeed(
            ["python3", "\(Programs.checkout)/docs/manual/manual.py", directory.path("man1"), "1.0"],
            input: help.stdout)
        let pages = try FileManager.default.contentsOfDirectory(atPath: directory.path("man1"))
        for name in ["signet.1", "signet-request-new.1", "signet-certutil.1", "signet-audit-filter-set.1"] {
            #expect(pages.contains(name))
        }
        for page in pages {
            let result = try await run(["groff", "-man", "-Tutf8", "-ww", directory.path("man1/\(page)")])
            #expect(result.status == 0 && result.stderr.isEmpty, "\(page): \(result.stderr)")
            #expect(result.text.contains("SYNOPSIS") || result.text.contains("S\u{8}SY\u{8}Y"))
        }
    }

    @Test("Completion is made for three shells, and bash reads it")
    func completion() async throws {
        let directory = try TemporaryDirectory()
        for shell in ["bash", "zsh", "fish"] {
            let script = try await succeed([Programs.signet, "--generate-completion-script", shell])
            #expect(script.text.contains("certutil") && script.text.contains("instance"))
            try directory.write(shell, script.stdout)
        }
        try await succeed(["bash", "-n", directory.path("bash")])
    }
}

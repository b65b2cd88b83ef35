import Foundation
import TestSupport
import Testing

@Suite("make install")
struct InstallationOfProgramsTests {
    @Test(
        "A packager gets programs, profiles, manual pages, completion and the names of Windows below DESTDIR, and they work"
    )
    func destination() async throws {
        let site = try Site.empty()
        // As a release build leaves them; which build it was makes no difference to what is installed.
        try FileManager.default.createDirectory(atPath: site.path("build/release"), withIntermediateDirectories: true)
        for program in [Programs.signet, Programs.signetd] {
            let name = URL(fileURLWithPath: program).lastPathComponent
            try FileManager.default.createSymbolicLink(
                atPath: site.path("build/release/\(name)"), withDestinationPath: program)
        }
        let destination = site.path("destination")
        try await succeed([
            "make", "-C", Programs.checkout, "-o", "packages", "-o", "release", "install",
            "BUILD_DIR=\(site.path("build"))", "PREFIX=/usr", "DESTDIR=\(destination)",
        ])
        let names = try FileManager.default.subpathsOfDirectory(atPath: destination).map { "/" + $0 }
        for name in [
            "/usr/bin/signet", "/usr/bin/signetd", "/usr/libexec/signet/certutil", "/usr/libexec/signet/certreq",
            "/usr/share/signet/hsm-profiles/softhsm2.yaml", "/usr/share/man/man1/signet.1",
            "/usr/share/man/man1/signet-move-token.1", "/usr/share/bash-completion/completions/signet",
            "/usr/share/zsh/site-functions/_signet", "/usr/share/fish/vendor_completions.d/signet.fish",
        ] { #expect(names.contains(name), "\(name)") }
        let version = try await succeed(["\(destination)/usr/bin/signet", "--version"])
        let help = try await succeed(["\(destination)/usr/libexec/signet/certutil", "-?"])
        #expect(help.text.hasPrefix("Verbs:\n") && help.text.contains("-ImportCert"))
        let failed = try await run(["\(destination)/usr/libexec/signet/certreq", "-retrieve", "0"])
        #expect(failed.text.hasPrefix("Certificate Request Processor: "), "\(failed.text)")
        let profiles = try await succeed(["\(destination)/usr/bin/signet", "profile", "list"])
        #expect(profiles.text.contains("softhsm2"))
        let page = try String(contentsOfFile: "\(destination)/usr/share/man/man1/signet-move-token.1", encoding: .utf8)
        #expect(page.contains("\\-\\-new\\-key") && page.contains(version.text.trimmingCharacters(in: .newlines)))
    }
}

import Foundation
import TestSupport
import Testing

@Suite("Key ceremonies")
struct CeremonyTests {
    @Test("Every command of docs/ceremony.md runs, and openssl reads the transcript")
    func document() async throws {
        let site = try Site.empty()
        let work = site.path("work")
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: false)
        let result = try await run(
            ["bash", "-c", "set -euo pipefail; cd '\(work)'\n" + Programs.script(ofDocument: "ceremony.md")],
            environment: ["PATH": Programs.searchPath])
        #expect(result.status == 0, "\(result.text)\n\(result.stderr)")
        #expect(result.text.contains("THIS WAS A REHEARSAL ON SOFTWARE TOKENS"))
        #expect(result.text.contains("made on the token: yes, always sensitive: yes, never extractable: yes"))
        #expect(result.text.contains("The signing key was made on its token, and was never outside of it."))
        #expect(
            result.text.contains(
                "['say', 'ask', 'token', 'run', 'keys', 'run', 'run', 'file', 'file', 'say']"), "\(result.text)")
        #expect(!FileManager.default.fileExists(atPath: "\(work)/rehearsal.p7s.journal"))
        #expect(!result.text.contains("Confirmed by"), "nobody was there")
        try await self.refused(site, work)
    }

    /// What must not be taken for a ceremony is not.
    private func refused(_ site: Site, _ work: String) async throws {
        let transcript = "\(work)/rehearsal.p7s"
        let plain = try await site.signet("ceremony", "verify", transcript)
        #expect(plain.status == 1 && plain.stderr.contains("NOT RIGHT: This was a rehearsal."))
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: transcript)))
        let text = Array("Peter Witness".utf8)
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: text) })
        var changed = bytes
        changed[place] = UInt8(ascii: "p")
        try site.directory.write("changed.p7s", changed)
        let forged = try await site.signet("ceremony", "verify", site.path("changed.p7s"), "--rehearsal")
        #expect(forged.status == 1 && forged.stderr.contains("0x80091007"), "\(forged.stderr)")
        try Data("changed".utf8).write(to: URL(fileURLWithPath: "\(work)/rehearsal/root.pem"))
        let other = try await site.signet(
            "ceremony", "verify", transcript, "--rehearsal", "--directory", "\(work)/rehearsal")
        #expect(other.stderr.contains("NOT RIGHT: root.pem is another file than at the ceremony."), "\(other.stderr)")
    }

    @Test("At a terminal each person confirms by name; who does not, stops the ceremony, which goes on where it was")
    func confirmed() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("hsm")
        let script = try site.directory.write(
            "root.yaml",
            Array(
                """
                ceremony: Test
                participants: {olga: "Olga Officer"}
                tokens: {root: "\(token)"}
                instance: root-ca
                steps:
                  - run: >-
                      init root root-ca --name Root --subject CN=Root --token-file {root} --key-algorithm p-256
                      --publication-url http://pki.example.test
                  - keys: root
                    by: olga

                """.utf8))
        let command = [Programs.signet, "ceremony", "run", script, "--transcript", site.path("out.p7s")]
        let question = "Olga Officer: type olga when it is done and right: "
        let stopped = try await site.onTerminal(after: question, type: "no\\n", command)
        #expect(stopped.status == 1 && stopped.text.contains("go on with --resume"), "\(stopped.text)")
        #expect(!FileManager.default.fileExists(atPath: site.path("out.p7s")))
        let again = try await site.onTerminal(after: question, type: "olga\\n", command)
        #expect(again.status == 1, "a journal is not overwritten: \(again.text)")
        let resumed = try await site.onTerminal(after: question, type: "olga\\n", command + ["--resume"])
        #expect(resumed.status == 0, "\(resumed.text)")
        let shown = try await site.signet("ceremony", "verify", site.path("out.p7s"), "--script", script)
        #expect(shown.status == 0, "\(shown.stderr)")
        #expect(shown.text.contains("FAILED") && shown.text.contains("Confirmed by Olga Officer at 20"))
        #expect(shown.text.components(separatedBy: "run: signet init root").count == 2, "the key was made once")
        try await site.operate("audit", "verify", "--instance", site.path("root-ca"))
    }

    @Test(
        "A script that cannot be followed is refused before the first step, with its place",
        arguments: [
            ("  - run: init nonsense", "init nonsense"), ("  - run: ceremony run x.yaml", "steps[1].run"),
            ("  - keys: other", "steps[1].keys"), ("  - say: x\n    by: nobody", "steps[1].by"),
            ("  - ask: x", "steps[1].by"), ("  - say: x\n    token: root", "steps[1]"),
            ("  - run: crl \"publish", "steps[1].run"), ("  - shout: x", "steps[1]"),
        ])
    func invalid(step: String, place: String) async throws {
        let site = try Site.empty()
        let script = try site.directory.write(
            "root.yaml",
            Array(
                """
                ceremony: Test
                participants: {olga: "Olga Officer"}
                tokens: {root: hsm.yaml}
                instance: root-ca
                steps:
                \(step)

                """.utf8))
        let result = try await site.signet("ceremony", "run", script, "--transcript", site.path("out.p7s"))
        #expect(result.status == 1 && result.stderr.contains(place), "\(result.stderr)")
        #expect(!FileManager.default.fileExists(atPath: site.path("out.p7s.journal")))
    }
}

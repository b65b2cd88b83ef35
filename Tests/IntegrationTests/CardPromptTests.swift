import Foundation
import TestSupport
import Testing

/// A person at a terminal whose card is not in the reader.
@Suite("Cards that are asked for at a terminal")
struct CardPromptTests {
    /// Runs a program on a terminal of its own, and types what it is told after it has seen a text.
    private static let terminal = """
        import os, pty, select, sys, time
        seen, keys, command = sys.argv[1].encode(), sys.argv[2].encode().decode("unicode_escape").encode(), sys.argv[3:]
        process, terminal = pty.fork()
        if process == 0:
            os.execv(command[0], command)
        text, typed, end = b"", False, time.time() + 120
        while time.time() < end:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                data = os.read(terminal, 4096)
            except OSError:
                break
            text += data
            if keys and not typed and seen in text:
                os.write(terminal, keys)
                typed = True
        sys.stdout.write(text.decode(errors="replace"))
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        sys.exit(code if code >= 0 else 128 - code)
        """

    private func onTerminal(
        _ site: Site, after seen: String, type keys: String, _ command: String...
    ) async throws -> ToolResult {
        let script = try site.directory.write("terminal.py", Array(CardPromptTests.terminal.utf8))
        return try await run(["python3", script, seen, keys] + command)
    }

    @Test("The card that is wanted is named; when it is put in, the command goes on")
    func inserted() async throws {
        let site = try Site.empty()
        let card = try await site.makeCard("card", profile: "generic-32k-smartcard")
        try site.setFaults(
            """
              - {function: C_GetSlotList, call: 1, effect: eject}
              - {function: C_GetSlotList, call: 6, effect: insert}
            """, on: "card")
        let shown = try await self.onTerminal(
            site, after: "", type: "", Programs.signet, "token", "list", "--token-file", card)
        #expect(shown.status == 0, "\(shown.text)")
        #expect(shown.text.contains("Insert the token \"card\". Control-C ends the waiting."))
        #expect(shown.text.contains("Found \"card\" (serial "))
        #expect(!shown.text.contains("Not this one"))
    }

    @Test("A wrong card is named and the wait goes on, until Control-C ends it")
    func cancelled() async throws {
        let site = try Site.empty()
        let card = try await site.makeToken("other")
        let text = try String(contentsOfFile: card, encoding: .utf8)
            .replacing("pkcs11:token=other", with: "pkcs11:token=wanted;serial=42")
        let wanted = try site.directory.write("wanted.yaml", Array(text.utf8))
        let shown = try await self.onTerminal(
            site, after: "Insert the token", type: "\\x03", Programs.signet, "token", "list", "--token-file", wanted)
        #expect(shown.status == 128 + 2, "ended by SIGINT")
        #expect(shown.text.contains("Not this one: \"other\" (serial "))
        #expect(shown.text.contains("Insert the token \"wanted\", serial number 42."))
    }
}

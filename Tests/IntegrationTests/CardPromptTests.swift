import Foundation
import TestSupport
import Testing

/// A person at a terminal whose card is not in the reader.
@Suite("Cards that are asked for at a terminal")
struct CardPromptTests {
    @Test("The card that is wanted is named; when it is put in, the command goes on")
    func inserted() async throws {
        let site = try Site.empty()
        let card = try await site.makeCard("card", profile: "generic-32k-smartcard")
        try site.setFaults(
            """
              - {function: C_GetSlotList, call: 1, effect: eject}
              - {function: C_GetSlotList, call: 6, effect: insert}
            """, on: "card")
        let shown = try await site.onTerminal(
            after: "", type: "", [Programs.signet, "token", "list", "--token-file", card])
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
        let shown = try await site.onTerminal(
            after: "Insert the token", type: "\\x03", [Programs.signet, "token", "list", "--token-file", wanted])
        #expect(shown.status == 128 + 2, "ended by SIGINT")
        #expect(shown.text.contains("Not this one: \"other\" (serial "))
        #expect(shown.text.contains("Insert the token \"wanted\", serial number 42."))
    }
}

import CertificateAuthority
import KeyArchival
import KeyProvider
import PKIMessages
import SecretMemory
import Synchronization
import TestSupport
import Testing

@testable import CAService

/// The same for what is done with archived keys later.
extension CAFaultSweepTests {
    @Test("An imported key: whichever call fails, it is archived once, with its evidence, or not at all")
    func importing() async throws {
        let site = try await SweepSite()
        let key = try SoftwareRequesterKey.generate(.rsa(modulusBits: 2048))
        let next = Next(try await site.unarchived(key))
        let who = try await site.authority.localOperator()
        let importer = try site.authority.keyImporter(isForced: false, for: who)
        let swept = Swept(card: site.authorityCard, token: try await site.authorityToken) {
            let outcome = try await importer.importKey(next.entry, by: who)
            let stored = try await site.authority.instance.storage.read {
                try $0.archivedKey(forRequest: outcome.requestID)
            }
            #expect(stored != nil && outcome.key != .ignoredSignature)
        } undo: {
            next.entry = try await site.unarchived(key)
        }
        try await self.sweepAll(swept, turns: [.before: 2, .after: 2], calls: 10)
        #expect(try await site.unvouched() == [])
        await site.close()
    }

    @Test(
        "A key that is encrypted anew: whichever call fails, it is as it was or as it is to be",
        arguments: [true, false])
    func rewrapping(agentCardFails: Bool) async throws {
        let site = try await SweepSite()
        _ = try await site.recoveryBlob()
        let who = try await site.authority.localOperator()
        let rewrap = try site.authority.keyRewrap(for: who)
        let (card, token) =
            agentCardFails
            ? (site.agentCard, site.agentToken) : (site.authorityCard, try await site.authorityToken)
        let swept = Swept(card: card, token: token) {
            var refusal: (any Error)?
            try await site.authority.vouchForArchivedKeys()
            let report = try await rewrap.run(with: [site.agentToken], includingCurrent: true, by: who) {
                if case .refused(_, let error) = $0 { refusal = error }
            }
            // A token that says that the key itself is wrong is believed: the key stays as it was, and that is told.
            if let refusal { throw refusal }
            #expect(report.rewrapped == 1)
        }
        try await self.sweepAll(swept, calls: agentCardFails ? 8 : 10)
        #expect(try await site.unvouched() == [])
        #expect(try await site.contradictions(acknowledged: []) == [])
        // The card opens what is there now.
        let drill = try await site.authority.recoveryDrill(for: who).run(sample: 1, with: [site.agentToken], by: who)
        #expect(drill.isGood)
        await site.close()
    }

    @Test(
        "A key put onto the user's card: whichever call fails on either card, it is there whole or not at all",
        arguments: [true, false])
    func putting(agentCardFails: Bool) async throws {
        let site = try await SweepSite()
        let userCard = try await SweepCard(label: "user")
        let user = try await site.agentOpener.open(userCard.configuration)
        let recovery = try await site.recoveryBlob().blob(at: 0).recovery
        let put: @Sendable () async throws -> Void = {
            let done = try await recovery.transfer(with: [site.agentToken], to: user, label: "alice")
            #expect(done.wasWrapped)
        }
        let clear: @Sendable () async throws -> Void = { try await userCard.removeObjects(nil) }
        try await put()
        let made = try await userCard.objects()
        #expect(made >= 2, "key and certificate")
        try await clear()
        let swept =
            agentCardFails
            ? Swept(card: site.agentCard, token: site.agentToken) {
                try await put()
                #expect(try await userCard.objects() == made)
            } undo: {
                try await clear()
            } : Swept(card: userCard, token: user, makes: made, attempt: put, undo: clear)
        try await self.sweepAll(swept, calls: 8)
        await userCard.close()
        await site.close()
    }
}

/// A key that is to be imported.
private final class Next: Sendable {
    private let held: Mutex<PKCS12.Entry>

    init(_ entry: PKCS12.Entry) { self.held = Mutex(entry) }

    var entry: PKCS12.Entry {
        get { self.held.withLock { $0 } }
        set { self.held.withLock { $0 = newValue } }
    }
}

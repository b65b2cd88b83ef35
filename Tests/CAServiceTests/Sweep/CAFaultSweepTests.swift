import CAService
import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKCS11
import SecretMemory
import Synchronization
import TestSupport
import Testing

/// Call n into a card fails, for every n, while a whole certification authority works with it: before the call, after it
/// (so that its result is lost), and by the card going away. Afterwards nothing is left behind, what was acknowledged is
/// there, and the next attempt works.
@Suite("A call into a token fails under a certification authority") struct CAFaultSweepTests {
    enum Moment: String, CaseIterable {
        /// The call fails and does nothing.
        case before
        /// The call does its work, and its answer is lost.
        case after
        /// The card is pulled out, and put back after the attempt.
        case removal
        /// The token says that it has written, and has not.
        case lostWrite
    }

    /// One operation on one card.
    struct Swept: Sendable {
        let card: SweepCard
        /// Tells when the card has been seen again; without it the card is not removed.
        var token: (any KeyToken)?
        /// Of the calls under removal every so many are tried, because each waits for the card to be seen again.
        var removals = 4
        /// Objects that a successful attempt adds.
        var makes = 0
        let attempt: @Sendable () async throws -> Void
        /// Takes back what a successful attempt has made, so that the next one begins with the same card.
        var undo: @Sendable () async throws -> Void = {}
    }

    private static let codes = [
        "DEVICE_ERROR", "DEVICE_MEMORY", "SESSION_HANDLE_INVALID", "DEVICE_REMOVED", "FUNCTION_FAILED",
        "TOKEN_NOT_PRESENT", "GENERAL_ERROR",
    ]

    private func fault(_ moment: Moment, call: Int, turn: Int) -> String {
        let code = CAFaultSweepTests.codes[(call + turn) % CAFaultSweepTests.codes.count]
        return switch moment {
        case .before: "{function: any, call: \(call), returns: \(code)}"
        case .after: "{function: any, call: \(call), returns: \(code), after: true}"
        case .removal: "{function: any, call: \(call), effect: eject}"
        case .lostWrite: "{function: [C_GenerateKeyPair, C_CreateObject], call: \(call), effect: lose}"
        }
    }

    /// Sweeps one moment over the calls of an operation.
    ///
    /// - Returns: how many calls met their fault.
    private func sweep(_ swept: Swept, _ moment: Moment, turn: Int) async throws -> Int {
        let objects = try await swept.card.objects()
        let step = moment == .removal ? swept.removals : 1
        var met = 0
        for number in stride(from: 1, to: 400, by: step) {
            let fault = self.fault(moment, call: number, turn: turn)
            try swept.card.order(fault)
            var failure: (any Error)?
            do { try await swept.attempt() } catch { failure = error }
            let wasMet = try swept.card.recover(isOut: moment == .removal)
            if moment == .removal { try await self.wait(for: swept) }
            if let failure {
                #expect(wasMet, "\(fault): \(ErrorReport(failure).headline)")
                #expect(ErrorReport(failure).hresult != .unexpected, "\(fault): \(failure)")
                do { try await swept.attempt() } catch {
                    Issue.record("\(fault): the next attempt fails: \(ErrorReport(error).lines)")
                }
            }
            #expect(try await swept.card.objects() == objects + swept.makes, "\(fault): an orphan, or a loss")
            try await swept.undo()
            #expect(try await swept.card.objects() == objects, "\(fault): the card is not as it was")
            guard wasMet else { return met }
            met += 1
        }
        Issue.record("the operation has no end")
        return met
    }

    /// Waits until the card that was put back has been seen again.
    private func wait(for swept: Swept) async throws {
        for _ in 0..<6000 {
            do { return _ = try await swept.token?.keyPairs() } catch { try await Task.sleep(for: .milliseconds(10)) }
        }
        _ = try await swept.token?.keyPairs()
    }

    func sweepAll(_ swept: Swept, turns: [Moment: Int] = [:], calls: Int) async throws {
        for moment in Moment.allCases where moment != .removal || swept.token != nil {
            for turn in 0..<(turns[moment] ?? 1) {
                let met = try await self.sweep(swept, moment, turn: turn)
                if moment == .before { #expect(met >= calls) }
            }
        }
    }

    @Test("A signature: whichever call fails, every request has an outcome and the next one is issued")
    func signature() async throws {
        let site = try await SweepSite()
        let acknowledged = Acknowledged()
        let swept = Swept(card: site.authorityCard, token: try await site.authorityToken, removals: 1) {
            acknowledged.add(try await site.submit(site.request, by: SweepSite.alice))
        }
        try await self.sweepAll(swept, turns: [.before: 7, .after: 7], calls: 2)
        #expect(try await site.contradictions(acknowledged: acknowledged.ids) == [])
        await site.close()
    }

    /// Both paths, and both proofs on the token; with the calls that each takes at least.
    static let archivals: [(KeyAlgorithm, SubscriberRequest.KeyFormat, Int)] = [
        (.rsa(modulusBits: 2048), .tokenWrapped, 15), (.rsa(modulusBits: 2048), .cmsAES, 8), (.p256, .tokenWrapped, 15),
    ]

    @Test(
        "An archived key: whichever call fails, no certificate without its key and no key without its certificate",
        arguments: archivals)
    func archival(_ algorithm: KeyAlgorithm, _ format: SubscriberRequest.KeyFormat, calls: Int) async throws {
        let site = try await SweepSite()
        let request = try await SweepSite.archivalRequest(to: site.authority, algorithm, format)
        let acknowledged = Acknowledged()
        let swept = Swept(card: site.authorityCard, token: try await site.authorityToken) {
            acknowledged.add(try await site.submit(request, by: SweepSite.alice))
        }
        try await self.sweepAll(swept, turns: [.before: 2, .after: 2], calls: calls)
        #expect(try await site.contradictions(acknowledged: acknowledged.ids) == [])
        await site.close()
    }

    @Test("A recovery: whichever call fails, the card keeps what it had and the next attempt gives the key")
    func recovery() async throws {
        let site = try await SweepSite()
        let blob = try await site.recoveryBlob()
        let files = RecoveredFiles(password: try SecretBytes(copying: "password".utf8))
        let swept = Swept(card: site.agentCard, token: site.agentToken) {
            try await blob.open { _ in
                site.agentToken
            } take: {
                _ = try files.pkcs12([$0])
            }
        }
        try await self.sweepAll(swept, turns: [.before: 2, .after: 2], calls: 2)
        #expect(try await site.contradictions(acknowledged: []) == [])
        await site.close()
    }

    @Test("A certificate on a card: whichever call fails, it is there once or not at all")
    func certificate() async throws {
        let site = try await SweepSite()
        try await site.agentCard.removeObjects(.certificate)
        let swept = Swept(card: site.agentCard, token: site.agentToken, makes: 1) {
            let pair = try await AgentEnrollment.accept(site.agentCertificate, on: site.agentToken)
            #expect(try await site.agentToken.certificates(for: pair.locator).count == 1)
        } undo: {
            try await site.agentCard.removeObjects(.certificate)
        }
        try await self.sweepAll(swept, turns: [.before: 2, .after: 2], calls: 5)
        await site.close()
    }

    @Test("An exchange key and its certificate: whichever call fails, no key without its certificate")
    func exchangeKey() async throws {
        let site = try await SweepSite()
        let token = try await site.authorityToken
        let swept = Swept(card: site.authorityCard, token: token, removals: 9, makes: 2) {
            site.clock.advance(by: 7 * 86_400)
            let record = try await site.authority.currentExchangeCertificate()
            // What was acknowledged is on the token.
            _ = try await token.keyPair(record.locator)
        } undo: {
            let newest = try await site.authority.currentExchangeCertificate()
            try await token.removeKeyPair(newest.locator)
        }
        try await self.sweepAll(swept, calls: 15)
        #expect(try await site.contradictions(acknowledged: []) == [])
        await site.close()
    }

    @Test("A new authority: whichever call fails, neither directory nor key is left")
    func root() async throws {
        let site = try await SweepSite()
        let card = try await SweepCard(label: "root")
        let path = site.directory.path("root")
        let swept = Swept(card: card, makes: 2) {
            #expect(!FilePaths.exists(path))
            _ = try await SweepSite.creation(path, on: card).makeRoot(validity: .init(count: 1, unit: .years))
        } undo: {
            try FilePaths.removeTree(path)
            try await card.removeObjects(nil)
        }
        try await self.sweepAll(swept, calls: 15)
        await card.close()
        await site.close()
    }
}

/// Requests that the authority has said it issued.
final class Acknowledged: Sendable {
    private let list = Mutex<[Int64]>([])

    var ids: [Int64] { self.list.withLock { $0 } }

    func add(_ id: Int64) { self.list.withLock { $0.append(id) } }
}

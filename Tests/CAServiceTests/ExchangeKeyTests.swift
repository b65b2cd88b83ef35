import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKIMessages
import TestSupport
import Testing

@testable import CAService

@Suite("Exchange keys over the weeks")
struct ExchangeKeyTests {
    @Test("The service renews the exchange key a day before its end, and removes it when it is kept no longer")
    func upkeep() async throws {
        let site = try await SweepSite()
        let (authority, storage) = (site.authority, site.authority.instance.storage)
        let first = try await authority.currentExchangeCertificate()
        let days = first.notAfter.timeIntervalSince(first.notBefore) / 86_400
        #expect(days > 7 && days < 7.01)
        var done = try await authority.keepExchangeKeys()
        #expect(done.renewed == nil && done.retired.isEmpty)

        site.clock.advance(by: 6 * 86_400)
        done = try await authority.keepExchangeKeys()
        let second = try #require(done.renewed)
        #expect(second.locator != first.locator && done.retired.isEmpty)
        #expect(try await authority.currentExchangeCertificate() == second)
        // A request that was made with the first one is still taken.
        try await site.submit(site.archivalRequest, by: SweepSite.alice)

        // A week after its end nothing needs the first key; the second one has ended and is kept.
        site.clock.advance(by: 8 * 86_400 + 60)
        done = try await authority.keepExchangeKeys()
        #expect(done.renewed != nil)
        #expect(done.retired == ["Swept CA-Xchg"])
        let token = try await site.authorityToken
        await #expect(throws: KeyProviderError.self) { try await token.keyPair(first.locator) }
        _ = try await token.keyPair(second.locator)
        let records = try await storage.read { try $0.exchangeCertificates() }
        #expect(records.map { $0.retiredWhen != nil } == [false, false, true])
        #expect(try await authority.keepExchangeKeys().retired.isEmpty)

        let late = try await authority.submit(
            EnrollmentSubmission(requestBytes: site.archivalRequest, caller: SweepSite.alice))
        #expect(late.disposition == .error)
        #expect(late.statusCode == .recipientNotFound)
        #expect(try await site.contradictions(acknowledged: []) == [])
        await site.close()
    }
}

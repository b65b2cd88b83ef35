import CertificateAuthority
import PKIMessages
import TestSupport
import Testing

@testable import CAService
@testable import signetd

@Suite("The service's own signatures and looks")
struct AuditTimerTests {
    @Test("The head of the audit chain is signed at start and each period in which something was recorded")
    func heads() async throws {
        try await withSoftHSM { token in
            let place = try await RootPlace(token)
            let authority = try await RunningAuthority(place.instance)
            let timer = AuditTimer(
                authority: authority, interval: .milliseconds(40), evidenceInterval: .milliseconds(20),
                logger: LoggedLines().logger)
            let heads = { @Sendable in
                try await place.instance.storage.read { try $0.signedAuditHeads(after: 0, limit: 100) }
            }
            try await whileRunning(timer) {
                try await until("the head is signed at start") { try await heads().count == 1 }
                let first = try #require(try await heads().first)
                _ = try await place.issue(by: authority.current)
                let issued = try await place.instance.storage.read { try $0.auditEntries(after: 0, limit: 1_000) }
                    .last { $0.event.id == .certificateIssued }?.sequence
                let entry = try #require(issued)
                // One may have been signed between the request and its certificate.
                try await until("the head is signed on schedule") {
                    try await heads().contains { $0.sequence >= entry }
                }
                #expect(try await heads()[1].sequence > first.sequence)
            }
            // What was recorded between two periods has one head, and what was not recorded has none.
            let signed = try await heads()
            let recorded = try await place.instance.storage.read { try $0.auditEntries(after: 0, limit: 1_000) }
            let issuances = recorded.filter { $0.event.id == .certificateIssued }.map(\.sequence)
            #expect(issuances.allSatisfy { entry in signed.contains { $0.sequence >= entry } })
            #expect(signed.count <= 1 + recorded.filter { $0.event.id != .auditHeadSigned }.count)
            await place.instance.tokens.close()
        }
    }

    @Test("A renewed certificate that cannot be used is logged once, and the next one that can be is taken up")
    func changes() async throws {
        try await withSoftHSM { token in
            let place = try await RootPlace(token)
            let authority = try await RunningAuthority(place.instance)
            let log = LoggedLines()
            let timer = ChangeTimer(
                authority: authority, templates: TemplateWatch(authority),
                lists: CRLTimer(authority: authority, interval: .seconds(60), logger: log.logger),
                interval: .milliseconds(10), logger: log.logger)
            try await place.renew(validity: 600)
            place.clock.advance(by: 3_600)
            // One line of a report has the code.
            let complaints = { @Sendable in
                log.text.filter { $0.contains("renewed CA certificate not used") && $0.contains("0x800b0101") }
            }
            try await whileRunning(timer) {
                try await until("it is complained of") { !complaints().isEmpty }
                try await place.renew(validity: 86_400)
                try await until("the next one is used") { log.text.contains("CA certificates changed") }
                #expect(complaints().count == 1)
                // The new key has a list at once.
                let index = authority.current.authority.currentSigner.keyIndex
                try await until("the list is there") {
                    let newest = try await place.instance.storage.read {
                        try $0.latestCRL(CRLScope(caKeyIndex: index), .base)
                    }
                    return newest != nil
                }
            }
            await place.instance.tokens.close()
        }
    }
}

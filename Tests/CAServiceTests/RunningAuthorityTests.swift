import CertificateAuthority
import Foundation
import PKIMessages
import TestSupport
import Testing

@testable import CAService

@Suite("A CA that is renewed while its process runs")
struct RunningAuthorityTests {
    @Test("What begins after a renewal has the new key, what has begun ends with the former one, and templates stay")
    func renewal() async throws {
        try await withSoftHSM { token in
            let place = try await RootPlace(token)
            let running = try await RunningAuthority(place.instance)
            #expect(try await running.takeUpRenewal() == nil)
            let former = running.current
            let template = try #require(former.authority.templates.template(named: "WebServer"))
            try former.authority.replaceTemplates([template])

            try await place.renew()
            #expect(running.current.authority.caCertificate.derBytes == former.authority.caCertificate.derBytes)
            let taken = try await running.takeUpRenewal()
            #expect(taken?.derBytes == running.current.authority.caCertificate.derBytes)
            #expect(try await running.takeUpRenewal() == nil)
            let keys = [former, running.current].map { $0.authority.caCertificate.subjectKeyIdentifier }
            #expect(keys[0] != keys[1])
            #expect(running.current.authority.templates.templates == [template])
            for (authority, key) in zip([former, running.current], keys) {
                let certificate = try await place.issue(by: authority)
                #expect(certificate.authorityKeyIdentifier == key)
            }
            let lists = try await running.current.publishDueCRLs { _, error in Issue.record(error) }
            #expect(Set(lists.map(\.record.caKeyIndex)) == [0, 1])
            let verdict = try await place.instance.verifyAudit(by: former.localOperator())
            #expect(verdict.findings.isEmpty)
            await place.instance.tokens.close()
        }
    }

    @Test("A renewed certificate that cannot be used is not taken up, and the one in use goes on")
    func unusable() async throws {
        try await withSoftHSM { token in
            let place = try await RootPlace(token)
            let running = try await RunningAuthority(place.instance)
            let former = running.current.authority.caCertificate
            try await place.renew(validity: 600)
            place.clock.advance(by: 3600)
            for _ in 0..<2 {
                await #expect { _ = try await running.takeUpRenewal() } throws: {
                    ($0 as? IssuanceError)?.code == .caCertificateExpired
                }
            }
            let issued = try await place.issue(by: running.current)
            #expect(issued.authorityKeyIdentifier == former.subjectKeyIdentifier)
            // The next one that can be used is.
            try await place.renew(validity: 86_400)
            #expect(try await running.takeUpRenewal()?.subjectKeyIdentifier != former.subjectKeyIdentifier)
            await place.instance.tokens.close()
        }
    }
}

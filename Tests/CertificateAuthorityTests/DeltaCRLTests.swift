import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import SQLiteStorage
import TestSupport
import Testing

@Suite struct DeltaCRLTests {
    static let hour: TimeInterval = 3600

    /// A CA with daily delta CRLs.
    private func fixture(
        _ configure: @escaping @Sendable (inout RevocationSettings) -> Void = { _ in }
    ) async throws -> CAFixture {
        try await CAFixture { configuration in
            configuration.crlURLs = ["http://pki.example.test/%3%8%12%9.crl"]
            configuration.revocation.deltaPeriod = 24 * DeltaCRLTests.hour
            configuration.revocation.freshestURLs = ["http://pki.example.test/%3%8%12%9.crl"]
            configure(&configuration.revocation)
        }
    }

    private func publish(_ fixture: CAFixture, _ kind: CRLKind) async throws -> [CRLKind: CertificateListFields] {
        let records = try await fixture.authority.publishCRLs(CRLOrder(kind), by: CAFixture.administrator)
        return try Dictionary(
            uniqueKeysWithValues: records.map { ($0.kind, try CertificateListFields(derEncoded: $0.crlDER)) })
    }

    @Test("openssl takes a revocation from the delta CRL, and takes it back when the delta CRL releases the hold")
    func opensslUsesDeltas() async throws {
        let fixture = try await self.fixture()
        let certificate = try await fixture.issueWebServer()
        let base = try #require(try await self.publish(fixture, .base)[.base])
        fixture.clock.advance(by: 60)
        try await fixture.authority.revoke(
            serialNumber: certificate.serialHex, reason: .certificateHold, by: CAFixture.manager)
        let held = try #require(try await self.publish(fixture, .delta)[.delta])
        #expect(held.baseNumber == base.number && held.number == 2)
        let judge = DeltaJudge(fixture: fixture)
        #expect(try await judge.verify(certificate, [base.derBytes]).status == 0)
        let refused = try await judge.verify(certificate, [base.derBytes, held.derBytes])
        #expect(refused.status != 0 && refused.stderr.contains("certificate revoked"))

        fixture.clock.advance(by: 60)
        let onHold = try #require(try await self.publish(fixture, .base)[.base])
        fixture.clock.advance(by: 60)
        try await fixture.authority.revoke(
            serialNumber: certificate.serialHex, reason: .removeFromCRL, by: CAFixture.manager)
        let released = try #require(try await self.publish(fixture, .delta)[.delta])
        #expect(released.entries.map(\.reason) == [.removeFromCRL])
        #expect(try await judge.verify(certificate, [onHold.derBytes]).status != 0)
        #expect(try await judge.verify(certificate, [onHold.derBytes, released.derBytes]).status == 0)
        #expect(try #require(try await self.publish(fixture, .base)[.base]).entries.isEmpty)
    }

    @Test("A base CRL comes with a delta CRL of the same number against the base before; what expired stays once more")
    func sameNumber() async throws {
        let fixture = try await self.fixture()
        let certificate = try await fixture.issueWebServer()
        let first = try await self.publish(fixture, .base)
        #expect(first[.base]?.number == 1 && first[.delta]?.number == 1 && first[.delta]?.baseNumber == 1)
        try await fixture.authority.revoke(
            serialNumber: certificate.serialHex, reason: .superseded, by: CAFixture.manager)
        fixture.clock.advance(by: 60)
        let second = try await self.publish(fixture, .base)
        #expect(second[.base]?.number == 2 && second[.delta]?.number == 2 && second[.delta]?.baseNumber == 1)
        #expect(second[.base]?.entries == second[.delta]?.entries && second[.base]?.entries.count == 1)
        #expect(try await self.publish(fixture, .delta)[.delta]?.entries.isEmpty == true)
    }

    @Test("Extensions: freshest CRL, delta indicator, virtual base, next publish, own place, as openssl prints them")
    func extensions() async throws {
        let fixture = try await self.fixture { settings in
            settings.selfURLs = ["ldap:///CN=%7%8,%6%10"]
            settings.configurationDN = "DC=example"
            settings.namesDistributionPoint = true
            settings.keepsExpired = true
        }
        let certificate = try await fixture.issueWebServer()
        let freshest = "http://pki.example.test/Example%20CA+.crl"
        #expect(try ExtensionDecoding(certificate.extensions).freshestCRLURLs() == [freshest])
        let lists = try await self.publish(fixture, .base)
        for (kind, list) in lists {
            let text = try await run(["openssl", "crl", "-inform", "DER", "-noout", "-text"], input: list.derBytes).text
            var lines = [
                "X509v3 CRL Number", "X509v3 Issuing Distribution Point: critical",
                "URI:http://pki.example.test/Example%20CA.crl", "1.3.6.1.4.1.311.21.3", "1.3.6.1.4.1.311.21.4",
                "1.3.6.1.4.1.311.21.14", "ldap:///CN=Example%20CA,DC%3Dexample?certificateRevocationList?base",
                "2.5.29.60",
            ]
            lines += kind == .base ? ["X509v3 Freshest CRL", freshest] : ["X509v3 Delta CRL Indicator: critical"]
            for line in lines { #expect(text.contains(line), "\(line) is not in \(text)") }
            #expect(text.contains("X509v3 Freshest CRL") == (kind == .base))
        }
        let python = """
            import sys; from cryptography import x509
            c = x509.load_der_x509_crl(sys.stdin.buffer.read())
            print(c.extensions.get_extension_for_class(x509.DeltaCRLIndicator).value.crl_number,
                c.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value.full_name[0].value)
            """
        let read = try await run(["python3", "-c", python], input: lists[.delta]?.derBytes ?? [])
        #expect(read.text == "1 http://pki.example.test/Example%20CA.crl\n")
    }

    @Test("A delta CRL is due after its period, also when nothing changed; the overlaps are those of Windows")
    func schedule() async throws {
        let fixture = try await self.fixture()
        #expect(try await fixture.authority.publishDueCRLs().map(\.kind) == [.base, .delta])
        #expect(try await fixture.authority.publishDueCRLs().isEmpty)
        fixture.clock.advance(by: 24 * 3600)
        let delta = try #require(try await fixture.authority.publishDueCRLs().first)
        #expect(delta.kind == .delta && delta.entryCount == 0)
        // The delta's period is longer than 12 hours: 12 hours and the skew.
        let now = Date(timeIntervalSince1970: TimeInterval(fixture.clock.now))
        #expect(delta.nextUpdate == now + 24 * 3600 + 12 * 3600 + 600)
        #expect(delta.nextPublish == now + 24 * 3600)
        fixture.clock.advance(by: 6 * 24 * 3600)
        #expect(try await fixture.authority.publishDueCRLs().map(\.kind) == [.base, .delta])
    }

    @Test("A CA without delta CRLs refuses to publish one")
    func off() async throws {
        let fixture = try await CAFixture()
        let error = await #expect(throws: IssuanceError.self) {
            try await fixture.authority.publishCRLs(CRLOrder(.delta), by: CAFixture.administrator)
        }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test("A revocation dated in the future is on the first delta CRL after its date")
    func future() async throws {
        let fixture = try await self.fixture()
        let certificate = try await fixture.issueWebServer()
        let date = Date(timeIntervalSince1970: TimeInterval(fixture.clock.now + 7200))
        try await fixture.authority.revoke(
            serialNumber: certificate.serialHex, reason: .keyCompromise, effective: date, invalidity: date - 86_400,
            by: CAFixture.manager)
        _ = try await self.publish(fixture, .base)
        fixture.clock.advance(by: 3600)
        #expect(try await self.publish(fixture, .delta)[.delta]?.entries.isEmpty == true)
        fixture.clock.advance(by: 3600)
        let entry = try #require(try await self.publish(fixture, .delta)[.delta]?.entries.first)
        #expect(entry.revocationDate == date && entry.invalidityDate == date - 86_400)
    }

    @Test("CRL numbers go on from the mark of an older database that was raised")
    func raised() async throws {
        let fixture = try await self.fixture()
        try await fixture.storage.write { try $0.raiseCRLNumber(to: 41) }
        try await fixture.storage.write { try $0.raiseCRLNumber(to: 7) }
        #expect(try await self.publish(fixture, .base)[.base]?.number == 42)
    }

    @Test("With the setting to keep them, expired certificates stay on the CRL for ever")
    func keepsExpired() async throws {
        let fixture = try await self.fixture { $0.keepsExpired = true }
        let certificate = try await fixture.issueWebServer()
        try await fixture.authority.revoke(
            serialNumber: certificate.serialHex, reason: .superseded, by: CAFixture.manager)
        for _ in 1...3 {
            fixture.clock.advance(by: 2 * 365 * 86_400)
            #expect(try await self.publish(fixture, .base)[.base]?.entries.count == 1)
        }
    }

    @Test("Certificates are spread over shards; each is on the list that its distribution point names, and on no other")
    func shards() async throws {
        let fixture = try await self.fixture { $0.shards = 3 }
        var urls: [String: [UInt8]] = [:]
        for _ in 1...12 {
            let certificate = try await fixture.issueWebServer()
            try await fixture.authority.revoke(
                serialNumber: certificate.serialHex, reason: .superseded, by: CAFixture.manager)
            urls[try #require(try ExtensionDecoding(certificate.extensions).crlDistributionPointURLs().first)] =
                certificate.derBytes
        }
        #expect(urls.count > 1 && urls.keys.allSatisfy { $0.contains("-shard") })
        let records = try await fixture.authority.publishCRLs(CRLOrder(.base), by: CAFixture.administrator)
        let bases = records.filter { $0.kind == .base }
        #expect(bases.map(\.shard) == [0, 1, 2, 3] && Set(bases.map(\.number)).count == 4)
        #expect(bases.compactMap(\.entryCount).reduce(0, +) == 12 && bases[0].entryCount == 0)
        for (url, der) in urls {
            let shard = try #require(Int(url.dropLast(4).suffix(1)))
            let certificate = try CertificateFields(derEncoded: der)
            for base in bases {
                let list = try CertificateListFields(derEncoded: base.crlDER)
                #expect((list.entry(serialNumber: certificate.serialNumber) != nil) == (base.shard == shard))
            }
            // openssl matches the list's issuing distribution point with the certificate's.
            let judge = DeltaJudge(fixture: fixture)
            let refused = try await judge.verify(certificate, [bases[shard].crlDER])
            #expect(refused.stderr.contains("certificate revoked"))
            let wrong = try await judge.verify(certificate, [bases[shard % 3 + 1].crlDER])
            #expect(wrong.status != 0 && !wrong.stderr.contains("certificate revoked"), "\(wrong.stderr)")
        }
    }

    @Test("cACompromise is refused for a certificate of no CA, aACompromise for every one", arguments: [2, 10])
    func reasons(_ number: Int) async throws {
        let fixture = try await self.fixture()
        let certificate = try await fixture.issueWebServer()
        let reason = try #require(CRLReason(rawValue: number))
        let error = await #expect(throws: RequestError.self) {
            try await fixture.authority.revoke(
                serialNumber: certificate.serialHex, reason: reason, by: CAFixture.manager)
        }
        #expect(error?.code == .invalidRevocationReason && error?.hresult == .invalidParameter)
    }
}

/// openssl with base and delta lists, at the fixture's time.
private struct DeltaJudge {
    let fixture: CAFixture

    func verify(_ certificate: CertificateFields, _ crls: [[UInt8]]) async throws -> ToolResult {
        let directory = try TemporaryDirectory()
        let root = try directory.write(
            "root.pem",
            Array(TextEncoding.pem(self.fixture.authority.caCertificate.derBytes, label: "CERTIFICATE").utf8))
        let lists = try directory.write(
            "lists.pem", Array(crls.map { TextEncoding.pem($0, label: "X509 CRL") }.joined().utf8))
        let leaf = try directory.write(
            "leaf.pem", Array(TextEncoding.pem(certificate.derBytes, label: "CERTIFICATE").utf8))
        return try await run([
            "openssl", "verify", "-attime", "\(self.fixture.clock.now)", "-CAfile", root, "-CRLfile", lists,
            "-crl_check", "-extended_crl", "-use_deltas", leaf,
        ])
    }
}

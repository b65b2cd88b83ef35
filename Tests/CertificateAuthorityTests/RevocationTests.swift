import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import SQLiteStorage
import TestSupport
import Testing

@Suite struct RevocationTests {
    @Test("openssl accepts an issued certificate, and refuses it after revocation and a new CRL")
    func opensslVerifies() async throws {
        let fixture = try await CAFixture()
        let kept = try await fixture.issueWebServer()
        let revoked = try await fixture.issueWebServer()
        let first = try await fixture.authority.publishCRL(by: CAFixture.administrator)
        #expect(try await Judge(fixture).verify(kept, first).status == 0)
        #expect(try await Judge(fixture).verify(revoked, first).status == 0)

        try await fixture.authority.revoke(
            serialNumber: revoked.serialHex.lowercased(), reason: .keyCompromise, by: CAFixture.manager)
        let second = try await fixture.authority.publishCRL(by: CAFixture.administrator)
        #expect(try await Judge(fixture).verify(kept, second).status == 0)
        let refused = try await Judge(fixture).verify(revoked, second)
        #expect(refused.status != 0)
        #expect(refused.stderr.contains("certificate revoked"))

        let text = try await run(["openssl", "crl", "-inform", "DER", "-noout", "-text"], input: second.crlDER).text
        #expect(text.contains("Serial Number: \(revoked.serialHex)"))
        #expect(text.contains("Key Compromise"))
        #expect(try await run(["certtool", "--crl-info", "--inder"], input: second.crlDER).status == 0)
        #expect(try await fixture.row(fixture.requestID(of: revoked))?.disposition == .revoked)
    }

    @Test("openssl and certtool read an issued certificate and verify its chain")
    func toolsReadCertificates() async throws {
        // certtool knows no other time than the machine's.
        let fixture = try await CAFixture(clock: FixedClock(seconds: Int64(Date().timeIntervalSince1970)))
        let fields = try await fixture.issueWebServer()
        let serial = try await run(["openssl", "x509", "-inform", "DER", "-noout", "-serial"], input: fields.derBytes)
        #expect(serial.text == "serial=\(fields.serialHex)\n")
        let text = try await run(["certtool", "--certificate-info", "--inder"], input: fields.derBytes)
        #expect(text.status == 0)
        #expect(text.text.contains("DNSname: www.example.test"))
        let chain = [fields.derBytes, fixture.authority.caCertificate.derBytes]
            .map { TextEncoding.pem($0, label: "CERTIFICATE") }.joined()
        let verified = try await run(["certtool", "--verify-chain"], input: Array(chain.utf8))
        #expect(verified.status == 0, Comment(rawValue: verified.text + verified.stderr))
    }

    @Test("CRL numbers rise by one, and a number whose signature failed is never used again")
    func numbers() async throws {
        let fixture = try await CAFixture()
        #expect(try await fixture.authority.publishCRL(by: CAFixture.administrator).number == 1)
        fixture.token.behave(.fails)
        await #expect(throws: (any Error).self) {
            try await fixture.authority.publishCRL(by: CAFixture.administrator)
        }
        #expect(try await fixture.auditEvents().last?.id == .tokenFailure)
        fixture.token.behave(.sound)
        #expect(try await fixture.authority.publishCRL(by: CAFixture.administrator).number == 3)
        #expect(try await fixture.restarted().publishCRL(by: CAFixture.administrator).number == 4)
        #expect(try await fixture.openIntents().isEmpty)
    }

    @Test("Of CRLs published at once, one with a higher number has every entry of one with a lower number")
    func concurrentPublication() async throws {
        let fixture = try await CAFixture()
        var serials: [String] = []
        for _ in 0..<8 { serials.append(try await fixture.issueWebServer().serialHex) }
        let records = try await withThrowingTaskGroup(of: CRLRecord.self) { [serials] group in
            for serial in serials {
                group.addTask {
                    try await fixture.authority.revoke(
                        serialNumber: serial, reason: .superseded, by: CAFixture.manager)
                    return try await fixture.authority.publishCRL(by: CAFixture.administrator)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let lists = try records.sorted { $0.number < $1.number }
            .map { try CertificateListFields(derEncoded: $0.crlDER) }
        #expect(lists.compactMap(\.number) == Array(1...8))
        for (earlier, later) in zip(lists, lists.dropFirst()) {
            #expect(Set(earlier.entries.map(\.serialNumber)).isSubset(of: Set(later.entries.map(\.serialNumber))))
        }
        #expect(lists.last?.entries.count == 8)
    }

    @Test("A CRL is due when there is none, and again after its period; it is valid longer than its period")
    func schedule() async throws {
        let fixture = try await CAFixture()
        let first = try #require(try await fixture.authority.publishCRLIfDue())
        let fields = try CertificateListFields(derEncoded: first.crlDER)
        #expect(fields.isSigned(by: fixture.token.subjectPublicKeyInfo))
        #expect(fields.thisUpdate == Date(timeIntervalSince1970: TimeInterval(fixture.clock.now - 600)))
        // A tenth of seven days is more than 12 hours: 12 hours and the skew.
        #expect(
            fields.nextUpdate == Date(timeIntervalSince1970: TimeInterval(fixture.clock.now + 7 * 86400 + 43200 + 600)))
        fixture.clock.advance(by: 7 * 86400 - 1)
        #expect(try await fixture.authority.publishCRLIfDue() == nil)
        fixture.clock.advance(by: 1)
        #expect(try await fixture.authority.publishCRLIfDue()?.number == 2)
    }

    @Test("A serial number that this CA never issued is 0x80094004")
    func unknownSerial() async throws {
        let fixture = try await CAFixture()
        let error = await #expect(throws: RequestError.self) {
            try await fixture.authority.revoke(serialNumber: "0102", reason: .superseded, by: CAFixture.manager)
        }
        #expect(error?.code == .unknownSerialNumber)
        #expect(error?.hresult == .propertyEmpty)
    }

    @Test("A hold can be taken away; a revocation cannot, and its reason stays")
    func hold() async throws {
        let fixture = try await CAFixture()
        let fields = try await fixture.issueWebServer()
        let revoke = { (reason: CRLReason) in
            try await fixture.authority.revoke(serialNumber: fields.serialHex, reason: reason, by: CAFixture.manager)
        }
        await #expect(throws: RequestError.self) { try await revoke(.removeFromCRL) }
        try await revoke(.certificateHold)
        try await revoke(.removeFromCRL)
        let list = try CertificateListFields(
            derEncoded: await fixture.authority.publishCRL(by: CAFixture.administrator).crlDER)
        #expect(list.entries.isEmpty)
        #expect(try await fixture.row(fixture.requestID(of: fields))?.disposition == .issued)
        try await revoke(.certificateHold)
        try await revoke(.keyCompromise)
        let error = await #expect(throws: RequestError.self) { try await revoke(.superseded) }
        #expect(error?.code == .wrongRevocationStatus)
        let stored = try await fixture.storage.read { try $0.certificate(serialNumber: fields.serialHex) }
        #expect(stored?.revocation?.reason == CRLReason.keyCompromise.rawValue)
    }

    @Test("Expired certificates and revocations of the future are not on the CRL")
    func entries() async throws {
        let fixture = try await CAFixture()
        let fields = try await fixture.issueWebServer()
        let future = Date(timeIntervalSince1970: TimeInterval(fixture.clock.now + 3600))
        try await fixture.authority.revoke(
            serialNumber: fields.serialHex, reason: .superseded, effective: future, by: CAFixture.manager)
        let entries = { () async throws -> Int in
            try CertificateListFields(
                derEncoded: await fixture.authority.publishCRL(by: CAFixture.administrator).crlDER
            ).entries.count
        }
        #expect(try await entries() == 0)
        fixture.clock.advance(by: 3600)
        #expect(try await entries() == 1)
        fixture.clock.advance(by: 2 * 365 * 86400)
        // Once more after its end (RFC 5280, section 3.3), and then no longer.
        #expect(try await entries() == 1)
        #expect(try await entries() == 0)
    }

    @Test("Revoking needs the role of certificate manager, publishing that of administrator")
    func roles() async throws {
        let fixture = try await CAFixture()
        let fields = try await fixture.issueWebServer()
        for principal in [CAFixture.alice, CAFixture.administrator] {
            let error = await #expect(throws: RequestError.self) {
                try await fixture.authority.revoke(
                    serialNumber: fields.serialHex, reason: .superseded, by: principal)
            }
            #expect(error?.hresult == .accessDenied)
        }
        await #expect(throws: RequestError.self) { try await fixture.authority.publishCRL(by: CAFixture.manager) }
        await #expect(throws: RequestError.self) {
            try await fixture.authority.deny(request: 1, by: CAFixture.administrator)
        }
    }
}

extension CAFixture {
    fileprivate func requestID(of certificate: CertificateFields) async throws -> Int64 {
        let serial = certificate.serialHex
        return try await self.storage.read { try $0.certificate(serialNumber: serial) }?.requestID ?? 0
    }
}

/// openssl at the fixture's time.
private struct Judge {
    let fixture: CAFixture

    init(_ fixture: CAFixture) {
        self.fixture = fixture
    }

    func verify(_ certificate: CertificateFields, _ crl: CRLRecord) async throws -> ToolResult {
        let directory = try TemporaryDirectory()
        let root = try directory.write(
            "root.pem",
            Array(TextEncoding.pem(self.fixture.authority.caCertificate.derBytes, label: "CERTIFICATE").utf8))
        let list = try directory.write("list.pem", Array(TextEncoding.pem(crl.crlDER, label: "X509 CRL").utf8))
        let leaf = try directory.write(
            "leaf.pem", Array(TextEncoding.pem(certificate.derBytes, label: "CERTIFICATE").utf8))
        return try await run([
            "openssl", "verify", "-attime", "\(self.fixture.clock.now)", "-x509_strict", "-CAfile", root, "-CRLfile",
            list, "-crl_check", leaf,
        ])
    }
}

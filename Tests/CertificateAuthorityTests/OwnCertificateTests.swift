import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKIMessages
import SQLiteStorage
import TestSupport
import Testing
import X509

@Suite struct OwnCertificateTests {
    @Test("The exchange certificate has the fields that Windows clients expect, in their order")
    func exchangeCertificate() async throws {
        let fixture = try await CAFixture()
        let key = try Requester(.rsa(bits: 2048))
        let record = try await fixture.authority.issueExchangeCertificate(keyPair: key.keyPair(.rsa(modulusBits: 2048)))
        let fields = try CertificateFields(derEncoded: record.certificateDER)
        #expect(DistinguishedNameText.text(of: fields.subject) == "CN=Example CA-Xchg,O=Example")
        #expect(fields.subjectPublicKeyInfo == key.subjectPublicKeyInfo)
        #expect(fields.isSigned(by: fixture.token.subjectPublicKeyInfo))
        #expect(
            fields.extensions.map(\.oid) == [
                OID.subjectKeyIdentifier, OID.authorityKeyIdentifier, OID.crlDistributionPoints,
                OID.authorityInformationAccess, OID.msCertificateTemplate, OID.extendedKeyUsage, OID.keyUsage,
                OID.msApplicationPolicies,
            ])
        #expect(fields.extendedKeyUsages == [OID.caExchange])
        #expect(fields.keyUsage == KeyUsage(keyEncipherment: true))
        let known = ExtensionDecoding(fields.extensions)
        #expect(known[OID.keyUsage]?.critical == true)
        #expect(try known.microsoftTemplate()?.majorVersion == 106)
        #expect(try known.applicationPolicies() == [OID.caExchange])
        #expect(fields.notBefore == Date(timeIntervalSince1970: TimeInterval(fixture.clock.now - 600)))
        #expect(fields.notAfter == Date(timeIntervalSince1970: TimeInterval(fixture.clock.now + 7 * 86400)))
        #expect(try await fixture.storage.read { try $0.exchangeCertificates() } == [record])
        let row = try #require(try await fixture.row(record.requestID))
        #expect(row.disposition == .issued)
        #expect(row.type == .internalRequest)
        #expect(row.rawRequest.isEmpty)
    }

    @Test("Exchange certificates take validity and overlap from the settings, then from the template, then built in")
    func exchangeSettings() async throws {
        var own = BuiltInTemplates.caExchange
        own.validity = .days(3)
        own.overlap = .days(2)
        let enabled = try await CAFixture(templates: [own])
        let without = try await CAFixture(templates: [BuiltInTemplates.user])
        #expect(try enabled.authority.exchangeTemplate(.init()) == own)
        #expect(try without.authority.exchangeTemplate(.init()) == BuiltInTemplates.caExchange)
        let set = try enabled.authority.exchangeTemplate(.init(validity: .weeks(2), overlap: .days(5)))
        #expect(set.validity == .weeks(2) && set.overlap == .days(5))
        let settings = ExchangeCertificateSettings(requiresTemplate: true)
        #expect(try enabled.authority.exchangeTemplate(settings) == own)
        let error = #expect(throws: IssuanceError.self) { try without.authority.exchangeTemplate(settings) }
        #expect(error?.code == .exchangeTemplateMissing)
        #expect(error?.hresult == HRESULT(rawValue: 0x8009_4800))
    }

    @Test(
        "An exchange certificate is current until its overlap begins, it is revoked or retired, or the CA key changes")
    func currentExchangeCertificate() async throws {
        let fixture = try await CAFixture()
        let authority = fixture.authority
        let key = try Requester(.rsa(bits: 2048))
        let record = try await authority.issueExchangeCertificate(keyPair: key.keyPair(.rsa(modulusBits: 2048)))
        func isCurrent(_ record: ExchangeCertificateRecord, before end: TimeInterval) async throws -> Bool {
            let date = record.notAfter.addingTimeInterval(-end)
            return try await fixture.storage.read {
                try authority.isCurrent(record, overlap: 86_400, in: $0, at: date)
            }
        }
        #expect(try await isCurrent(record, before: 86_401))
        #expect(try await !isCurrent(record, before: 86_400))
        #expect(try await !isCurrent(record, before: 8 * 86_400))
        var retired = record
        retired.retiredWhen = record.notBefore
        #expect(try await !isCurrent(retired, before: 86_401))
        let serial = try CertificateFields(derEncoded: record.certificateDER).serialHex
        try await authority.revoke(
            serialNumber: serial, reason: .keyCompromise, by: CAFixture.manager)
        #expect(try await !isCurrent(record, before: 86_401))
    }

    @Test("An exchange certificate that ends with the CA certificate serves to its end: the next would end there, too")
    func lastExchangeCertificate() async throws {
        let fixture = try await CAFixture(caValidity: 3 * 86_400)
        let record = try await fixture.authority.issueExchangeCertificate(
            keyPair: Requester(.rsa(bits: 2048)).keyPair(.rsa(modulusBits: 2048)))
        let authority = fixture.authority
        #expect(record.notAfter == authority.caCertificate.notAfter)
        let last = record.notAfter.addingTimeInterval(-1)
        #expect(
            try await fixture.storage.read { try authority.isCurrent(record, overlap: 86_400, in: $0, at: last) })
    }

    @Test("Nobody enrols for the exchange template, and an exchange key must be RSA")
    func exchangeRefusals() async throws {
        let fixture = try await CAFixture()
        let result = try await fixture.submit(
            Requester(.rsa(bits: 2048)).certificationRequest(template: "CAExchange"), by: CAFixture.administrator)
        #expect(result.statusCode == .templateDenied)
        let error = await #expect(throws: IssuanceError.self) {
            try await fixture.authority.issueExchangeCertificate(keyPair: fixture.token.keyPair)
        }
        #expect(error?.code == .unsuitableKey)
    }

    @Test("A root certificate is a CA's, signed by its own key, and there is one in an instance")
    func root() async throws {
        let fixture = try await CAFixture()
        let fields = fixture.authority.caCertificate
        #expect(fields.isSelfIssued)
        #expect(fields.isSigned(by: fixture.token.subjectPublicKeyInfo))
        #expect(fields.basicConstraints == .isCertificateAuthority(maxPathLength: nil))
        #expect(fields.keyUsage == KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true))
        #expect(try ExtensionDecoding(fields.extensions).caVersion() == 0)
        #expect(try await fixture.row(1)?.disposition == .caCertificate)
        let error = await #expect(throws: IssuanceError.self) {
            try await CAInstallation.selfSignedRoot(
                name: DistinguishedNameText.parse("CN=Second"),
                signingKey: CASigningKey(token: fixture.token, keyPair: fixture.token.keyPair), validity: 3600,
                storage: fixture.storage, surroundings: CAFixture.surroundings(fixture.clock, fixture.random))
        }
        #expect(error?.code == .invalidCACertificate)
    }

    @Test("A subordinate CA requests, is certified by the root, is installed, and issues what openssl verifies")
    func subordinate() async throws {
        let root = try await CAFixture()
        let subordinate = try await Subordinate(of: root)
        let record = try await subordinate.install(chain: [root.certificate.certificateDER])
        let stored = try await subordinate.storage.read { try $0.caCertificates() }
        #expect(stored.map(\.use) == [.own, .chain])
        let authority = try CertificationAuthority(
            configuration: CAConfiguration(name: "Issuing CA"),
            signingKeys: [CASigningKey(token: subordinate.token, keyPair: subordinate.token.keyPair)],
            certificates: stored, storage: subordinate.storage, surroundings: subordinate.surroundings)
        #expect(authority.chainDER == [record.certificateDER, root.certificate.certificateDER])
        let result = try await authority.submit(
            EnrollmentSubmission(
                requestBytes: Requester().certificationRequest(template: "WebServer"), caller: CAFixture.alice))
        let directory = try TemporaryDirectory()
        let files = try [
            ("root", root.certificate.certificateDER), ("sub", record.certificateDER),
            ("leaf", result.certificateDER ?? []),
        ].map { try directory.write("\($0.0).pem", Array(TextEncoding.pem($0.1, label: "CERTIFICATE").utf8)) }
        let verified = try await run([
            "openssl", "verify", "-attime", "\(root.clock.now)", "-x509_strict", "-CAfile", files[0], "-untrusted",
            files[1], files[2],
        ])
        #expect(verified.status == 0, Comment(rawValue: verified.stderr))
    }

    @Test("A certificate for another key, without its chain, of an end entity or not valid now is refused: 0x80094005")
    func installationRefusals() async throws {
        let root = try await CAFixture()
        let subordinate = try await Subordinate(of: root)
        let refusal = { (_ body: () async throws -> CACertificateRecord) async -> HRESULT? in
            await #expect(throws: IssuanceError.self) { try await body() }?.hresult
        }
        #expect(await refusal { try await subordinate.install(chain: []) } == .invalidCACertificate)
        #expect(
            await refusal {
                try await subordinate.install(
                    chain: [root.certificate.certificateDER], key: TestSigningToken().keyPair)
            } == .invalidCACertificate)
        let leaf = try await root.submit(
            subordinate.request, attributes: "CertificateTemplate:SubCA", by: CAFixture.administrator)
        #expect(leaf.disposition == .issued)
        // A key of which the root has certified a web server is no CA's.
        let server = try Requester()
        let webServer = try await root.issueWebServer(server)
        #expect(
            await refusal {
                try await CAInstallation.install(
                    certificate: webServer.derBytes, chain: [root.certificate.certificateDER],
                    key: server.keyPair(.p256), storage: subordinate.storage, surroundings: subordinate.surroundings)
            } == .invalidCACertificate)
        root.clock.advance(by: 20 * 365 * 86400)
        #expect(
            await refusal { try await subordinate.install(chain: [root.certificate.certificateDER]) }
                == .invalidCACertificate)
        #expect(try await subordinate.storage.read { try $0.caCertificates() }.isEmpty)
    }

    @Test("A path length that does not allow the subordinate is refused")
    func pathLength() async throws {
        let clock = FixedClock()
        let surroundings = CAFixture.surroundings(clock, SeededRandom())
        let token = try TestSigningToken()
        let storage = try SQLiteStorage(inMemoryNamed: "root")
        let record = try await CAInstallation.selfSignedRoot(
            name: DistinguishedNameText.parse("CN=Strict Root"),
            signingKey: CASigningKey(token: token, keyPair: token.keyPair), validity: 10 * 365 * 86400,
            settings: CACertificateSettings(pathLength: 0),
            storage: storage, surroundings: surroundings)
        var configuration = CAConfiguration(name: "Strict Root")
        // The linter would not let it be signed.
        configuration.lint.tolerated = ["path-length-exceeded"]
        let root = try CertificationAuthority(
            configuration: configuration,
            signingKeys: [CASigningKey(token: token, keyPair: token.keyPair)], certificates: [record], storage: storage,
            surroundings: surroundings)
        let below = try TestSigningToken(label: "below")
        let request = try await CAInstallation.subordinateRequest(
            name: DistinguishedNameText.parse("CN=Below"),
            signingKey: CASigningKey(token: below, keyPair: below.keyPair),
            storage: SQLiteStorage(inMemoryNamed: "below"), surroundings: surroundings)
        let result = try await root.submit(
            EnrollmentSubmission(requestBytes: request, caller: CAFixture.administrator))
        let error = await #expect(throws: IssuanceError.self) {
            try await CAInstallation.install(
                certificate: result.certificateDER ?? [], chain: [record.certificateDER], key: below.keyPair,
                storage: SQLiteStorage(inMemoryNamed: "below"), surroundings: surroundings)
        }
        #expect(error?.code == .invalidCACertificate)
    }

    @Test("The request of a subordinate CA is a use of its key: an intent before it, outcome and event after it")
    func requestInLedger() async throws {
        let subordinate = try await Subordinate(of: CAFixture())
        let intents = try await subordinate.storage.read { try $0.intents(after: 0, limit: 10) }
        #expect(intents.map(\.kind) == [.message] && intents.map(\.outcome) == [.completed])
        let signed = try CertificationRequest(derEncoded: subordinate.request).infoBytes
        #expect(intents.map(\.toBeSignedSHA256) == [Digest.sha256.hash(signed)])
        let events = try await subordinate.storage.read { try $0.auditEntries(after: 0, limit: 10) }.map(\.event)
        #expect(events.map(\.id) == [.messageSigned])
        #expect(events.first?.details["Purpose"] == "certificate request")
        #expect(events.first?.details["Number"] == intents.first?.number)

        subordinate.token.behave(.fails)
        await #expect(throws: (any Error).self) {
            _ = try await CAInstallation.subordinateRequest(
                name: DistinguishedNameText.parse("CN=x"),
                signingKey: CASigningKey(token: subordinate.token, keyPair: subordinate.token.keyPair),
                storage: subordinate.storage, surroundings: subordinate.surroundings)
        }
        let after = try await subordinate.storage.read { db in
            (try db.intents(after: 1, limit: 10).map(\.outcome), try db.auditHead()?.event.id)
        }
        #expect(after.0 == [.failed] && after.1 == .tokenFailure)
    }

    @Test("An authority whose certificate is not that of its key does not start")
    func wrongKey() async throws {
        let fixture = try await CAFixture()
        let other = try TestSigningToken()
        #expect(throws: IssuanceError.self) {
            try CertificationAuthority(
                configuration: CAConfiguration(name: "x"),
                signingKeys: [CASigningKey(token: other, keyPair: other.keyPair)], certificates: [fixture.certificate],
                storage: fixture.storage, surroundings: CAFixture.surroundings(fixture.clock, fixture.random))
        }
    }
}

/// A subordinate CA that has its certificate from a root and has not installed it yet.
private struct Subordinate {
    let token: TestSigningToken
    let storage: SQLiteStorage
    let surroundings: Surroundings
    let request: [UInt8]
    let certificate: [UInt8]

    init(of root: CAFixture) async throws {
        self.token = try TestSigningToken(label: "issuing")
        self.storage = try SQLiteStorage(inMemoryNamed: "subordinate")
        self.surroundings = CAFixture.surroundings(root.clock, root.random)
        self.request = try await CAInstallation.subordinateRequest(
            name: DistinguishedNameText.parse("CN=Issuing CA,O=Example"),
            signingKey: CASigningKey(token: self.token, keyPair: self.token.keyPair), storage: self.storage,
            surroundings: self.surroundings)
        let result = try await root.submit(self.request, by: CAFixture.administrator)
        self.certificate = try #require(result.certificateDER)
    }

    func install(chain: [[UInt8]], key: TokenKeyPair? = nil) async throws -> CACertificateRecord {
        try await CAInstallation.install(
            certificate: self.certificate, chain: chain, key: key ?? self.token.keyPair, storage: self.storage,
            surroundings: self.surroundings)
    }
}

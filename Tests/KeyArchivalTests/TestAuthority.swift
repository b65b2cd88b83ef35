import CertificateAuthority
import Foundation
import KeyArchival
import KeyProvider
import PKIMessages
import SQLiteStorage
import SecretMemory
import SwiftASN1
import X509

/// A certification authority made for one test: its records are in a database in memory. Its key is in software,
/// because these tests are about what it issued, not about how it signs.
final class TestAuthority: Sendable {
    /// 2026-01-01T12:00:00Z.
    static let now = Date(timeIntervalSince1970: 1_767_268_800)

    /// For how long the revocation list is current.
    static let listPeriod: TimeInterval = 86_400 * 7

    let storage: any CAStorage
    let certificate: CertificateFields
    let surroundings = Surroundings(now: { TestAuthority.now }, randomBytes: LibCrypto.randomBytes)
    private let privateKey: SecretBytes

    /// - Parameter database: path of its database; in memory when not given.
    init(name: String = "Issuing CA", database: String? = nil) async throws {
        self.privateKey = try SoftwareKeys.generate(.p256)
        let publicKey = try PrivateKeyInfo(derEncoded: self.privateKey).subjectPublicKeyInfo()
        let subject = try StrictDER.serialize(DistinguishedNameText.parse("CN=\(name),O=Example"))
        let tbs = TBSCertificate(
            serialNumber: [1], signatureAlgorithm: .ecdsaWithSHA256, issuerDER: subject,
            notBefore: TestAuthority.now.addingTimeInterval(-86_400),
            notAfter: TestAuthority.now.addingTimeInterval(86_400 * 3650), subjectDER: subject,
            subjectPublicKeyInfo: publicKey, extensions: [try ExtensionEncoding.basicConstraints(isCA: true)])
        self.certificate = try TestAuthority.sign(tbs, with: self.privateKey)
        self.storage =
            if let database { try SQLiteStorage(path: database) } else { try SQLiteStorage(inMemoryNamed: name) }
        let own = CACertificateRecord(
            use: .own, index: 0, keyIndex: 0, certificateDER: self.certificate.derBytes, locator: nil)
        let list = CRLRecord(
            number: 1, caKeyIndex: 0, thisUpdate: TestAuthority.now,
            nextUpdate: TestAuthority.now.addingTimeInterval(TestAuthority.listPeriod), crlDER: [])
        try await self.storage.write {
            try $0.insert(own)
            try $0.insert(list)
        }
    }

    /// A revocation list of this CA over these serial numbers, as its own publication would make it.
    func revocationList(
        of serialNumbers: [[UInt8]] = [], nextUpdate: Date = now.addingTimeInterval(listPeriod)
    ) throws -> CertificateListFields {
        let entries = serialNumbers.map {
            RevokedEntry(serialNumber: $0, revocationDate: TestAuthority.now, reason: .keyCompromise)
        }
        let tbs = TBSCertList(
            signatureAlgorithm: .ecdsaWithSHA256, issuerDER: self.certificate.subjectDER,
            thisUpdate: TestAuthority.now, nextUpdate: nextUpdate, entries: entries, number: 1,
            authorityKeyIdentifier: self.certificate.subjectPublicKeyInfo.keyIdentifier)
        let bytes = try tbs.derEncoded()
        return try CertificateListFields(
            derEncoded: SignedObject.assemble(
                tbs: bytes, algorithm: .ecdsaWithSHA256,
                signature: SoftwareKeys.sign(bytes, with: self.privateKey, digest: .sha256)))
    }

    private static func sign(_ tbs: TBSCertificate, with key: SecretBytes) throws -> CertificateFields {
        let bytes = try tbs.derEncoded()
        return try CertificateFields(
            derEncoded: SignedObject.assemble(
                tbs: bytes, algorithm: .ecdsaWithSHA256,
                signature: SoftwareKeys.sign(bytes, with: key, digest: .sha256)))
    }

    /// What the certificate of a key recovery agent says, each changeable.
    struct AgentContent: Sendable {
        var extendedKeyUsages = [OID.keyRecoveryAgent]
        var keyUsage = KeyUsage(keyEncipherment: true)
        var notBefore = TestAuthority.now.addingTimeInterval(-600)
        var notAfter = TestAuthority.now.addingTimeInterval(86_400 * 365)
    }

    /// Issues a certificate and stores it with its request.
    func issue(
        _ name: String, to publicKey: SubjectPublicKeyInfo, extensions: [Certificate.Extension] = [],
        notBefore: Date = TestAuthority.now.addingTimeInterval(-600),
        notAfter: Date = TestAuthority.now.addingTimeInterval(86_400 * 365)
    ) async throws -> (requestID: Int64, certificate: CertificateFields) {
        let request = RequestRecord(
            type: .pkcs10, rawRequest: [], attributes: "", requesterName: "EXAMPLE\\\(name)", templateName: nil,
            subject: "CN=\(name)", submittedWhen: TestAuthority.now, disposition: .issued)
        return try await self.storage.write { [self] db in
            let requestID = try db.insert(request)
            let tbs = TBSCertificate(
                serialNumber: [0x61, 0xAA, UInt8(truncatingIfNeeded: requestID)],
                signatureAlgorithm: .ecdsaWithSHA256, issuerDER: self.certificate.subjectDER, notBefore: notBefore,
                notAfter: notAfter, subjectDER: try StrictDER.serialize(DistinguishedNameText.parse("CN=\(name)")),
                subjectPublicKeyInfo: publicKey, extensions: extensions)
            let issued = try TestAuthority.sign(tbs, with: self.privateKey)
            try db.insert(CertificateRecord(issued, requestID: requestID, name: name))
            return (requestID, issued)
        }
    }

    /// Issues an agent's certificate and configures the agent.
    @discardableResult
    func addAgent(
        _ name: String, key: SubjectPublicKeyInfo, _ content: AgentContent = AgentContent()
    ) async throws -> CertificateFields {
        let extensions = [
            try ExtensionEncoding.extendedKeyUsage(content.extendedKeyUsages),
            try ExtensionEncoding.keyUsage(content.keyUsage),
        ]
        let issued = try await self.issue(
            name, to: key, extensions: extensions, notBefore: content.notBefore, notAfter: content.notAfter)
        try await self.configure(issued.certificate)
        return issued.certificate
    }

    func configure(_ agent: CertificateFields) async throws {
        let record = KRARecord(
            sha1Thumbprint: agent.sha1Thumbprint, certificateDER: agent.derBytes, addedWhen: TestAuthority.now)
        try await self.storage.write { try $0.insert(record) }
    }

    /// Issues and stores an exchange certificate.
    func addExchangeCertificate(_ keyPair: TokenKeyPair) async throws -> CertificateFields {
        let issued = try await self.issue(
            "Issuing CA-Xchg", to: SubjectPublicKeyInfo(derEncoded: keyPair.subjectPublicKeyInfo))
        let record = ExchangeCertificateRecord(
            requestID: issued.requestID, certificateDER: issued.certificate.derBytes, locator: keyPair.locator,
            notBefore: issued.certificate.notBefore, notAfter: issued.certificate.notAfter)
        try await self.storage.write { try $0.insert(record) }
        return issued.certificate
    }

    /// - Parameter foreign: other authorities that may certify agents.
    func agents(count: Int = 1, foreign: (any SignerTrust)? = nil, at date: Date = now) throws -> KRASelection {
        try KRASelection(
            storage: self.storage, check: KRACertificateCheck(issuers: [self.certificate], foreign: foreign),
            count: count, surroundings: Surroundings(now: { date }, randomBytes: LibCrypto.randomBytes))
    }

    func archiver(
        _ token: any KeyToken, settings: ArchivalSettings = ArchivalSettings(), count: Int = 1
    ) throws -> TokenKeyArchiver {
        TokenKeyArchiver(
            exchangeToken: { _ in token }, storage: self.storage, agents: try self.agents(count: count),
            settings: settings,
            surroundings: self.surroundings)
    }

    var recoveryBlobs: RecoveryBlobBuilder { self.recoveryBlobs(KeyReleasePolicy()) }

    func recoveryBlobs(_ release: KeyReleasePolicy, at date: Date = now) -> RecoveryBlobBuilder {
        RecoveryBlobBuilder(
            storage: self.storage, authority: self.certificate, signatureAlgorithm: .ecdsaWithSHA256,
            surroundings: Surroundings(now: { date }, randomBytes: LibCrypto.randomBytes), release: release
        ) { [self] draft in try draft.assemble(signature: self.sign(draft.bytesToSign)) }
    }

    /// - Parameter key: the CA's own when not given.
    func sign(_ bytes: [UInt8], with key: SecretBytes? = nil) throws -> [UInt8] {
        try SoftwareKeys.sign(bytes, with: key ?? self.privateKey, digest: .sha256)
    }

    func revoke(_ certificate: CertificateFields) async throws {
        let revocation = CertificateRecord.Revocation(
            reason: 1, revokedWhen: TestAuthority.now, effectiveWhen: TestAuthority.now)
        try await self.storage.write { try $0.setRevocation(revocation, serialNumber: certificate.serialHex) }
    }
}

extension CertificateRecord {
    fileprivate init(_ certificate: CertificateFields, requestID: Int64, name: String) {
        self.init(
            requestID: requestID, serialNumber: certificate.serialHex, certificateDER: certificate.derBytes,
            sha1Thumbprint: certificate.sha1Thumbprint, sha256Thumbprint: certificate.sha256Thumbprint,
            subject: "CN=\(name)", commonName: name, userPrincipalName: "\(name)@example.test",
            requesterName: "EXAMPLE\\\(name)", templateName: nil,
            subjectKeyIdentifier: certificate.subjectPublicKeyInfo.keyIdentifier, notBefore: certificate.notBefore,
            notAfter: certificate.notAfter, caKeyIndex: 0)
    }
}

/// RSA keys of requesters, and of agents whose card does not matter, made once a run because that takes time.
struct TestKey: Sendable {
    let privateKey: SecretBytes
    let publicKey: SubjectPublicKeyInfo

    private static let made = Result { try (0..<5).map { _ in try TestKey() } }

    static var user: TestKey { get throws { try self.made.get()[0] } }
    static var other: TestKey { get throws { try self.made.get()[1] } }
    /// Three.
    static var agents: [TestKey] { get throws { try Array(self.made.get()[2...]) } }

    /// What a token would say of the pair if it had it.
    func notOnToken() throws -> TokenKeyPair {
        TokenKeyPair(
            locator: KeyLocator(
                reference: try KeyReference("pkcs11:token=none;id=%01"), publicKeySHA256: self.publicKey.sha256),
            subjectPublicKeyInfo: self.publicKey.derBytes, algorithm: .rsa(modulusBits: 2048), label: "none",
            attributes: KeyAttributes())
    }

    private init() throws {
        self.privateKey = try SoftwareKeys.generate(.rsa(bits: 2048))
        self.publicKey = try PrivateKeyInfo(derEncoded: self.privateKey).subjectPublicKeyInfo()
    }
}

import CertificateAuthority
import Foundation
import KeyArchival
import KeyProvider
import PKIMessages
import SecretMemory

/// A key recovery agent's card that is open in this program.
public struct RecoveryAgentCard: Sendable {
    let token: any KeyToken
    private let opener: TokenOpener

    /// Opens the card of an agent.
    ///
    /// - Parameters:
    ///   - authority: is closed after the card.
    ///   - module: path of the PKCS #11 module.
    ///   - token: a `pkcs11:` URI that fits one token.
    ///   - profile: name of the device profile.
    ///   - pinFile: file of mode 0600 with the PIN in its first line.
    /// - Throws: a `DiagnosableError`.
    public init(
        of authority: EmbeddedAuthority, module: String, token: String, profile: String, pinFile: String
    ) async throws {
        self.opener = try TokenOpener(
            directory: ".", secrets: .system, profiles: .standard(instance: nil, environment: [:]),
            records: .standard(instance: authority.authority.instance.directory, environment: [:]),
            beside: authority.authority.instance.tokens)
        self.token = try await self.opener.open(
            TokenConfiguration(module: module, token: token, profile: profile, pin: .file(pinFile)))
    }

    /// Generates an agent's key on a token and has the authority certify and use it.
    ///
    /// - Throws: a `DiagnosableError`.
    public init(
        enrollingWith authority: EmbeddedAuthority, module: String, token: String, profile: String, pinFile: String
    ) async throws {
        try await self.init(of: authority, module: module, token: token, profile: profile, pinFile: pinFile)
        try await authority.enroll(self.token)
    }

    /// Closes the token, which is to be done before the authority is closed.
    public func close() async { await self.opener.close() }
}

/// Archival of keys, their recovery and their import inside another program.
extension EmbeddedAuthority {
    fileprivate func enroll(_ card: any KeyToken) async throws {
        let who = try await self.authority.localOperator()
        let pending = try await AgentEnrollment(card: card, name: "Agent", algorithm: .rsa(modulusBits: 2048))
            .enroll(requester: who) { try await self.authority.submit($0) }
        let issued = try await self.authority.approve(request: pending.requestID, by: who)
        let certificate = try CertificateFields(derEncoded: issued.certificateDER ?? [])
        _ = try await AgentEnrollment.accept(certificate, on: card)
        // An agent serves only while there is a current revocation list.
        _ = try await self.makeCRL()
        _ = try await self.authority.addRecoveryAgent(certificate.derBytes, by: who)
    }

    /// A CMC request for a new RSA-2048 key that carries the key, wrapped so that a capable token never lets it out.
    ///
    /// - Parameter subject: RFC 4514 text.
    /// - Throws: a `DiagnosableError`.
    public func archivalRequest(subject: String) async throws -> [UInt8] {
        let instance = self.authority.instance
        let exchange = try await self.authority.currentExchangeCertificate()
        let chain = try await instance.authorityCertificates()
            .map { TextEncoding.pem($0.derBytes, label: "CERTIFICATE") }
        let list = try await instance.storage.read { try $0.latestCRL(caKeyIndex: 0)?.crlDER ?? [] }
        let archival = try SubscriberRequest.Archival(
            exchangeCertificateDER: exchange.certificateDER, authorityPEM: Array(chain.joined().utf8),
            revocationListDER: list, format: .tokenWrapped, now: instance.surroundings.now())
        return try await SubscriberRequest(
            RequestContent(subject: subject, template: "User"),
            key: SoftwareRequesterKey.generate(.rsa(modulusBits: 2048)), archival: archival
        ).make().der
    }

    /// Issues a certificate for a request that brings its key.
    ///
    /// - Throws: a `DiagnosableError` when nothing is issued.
    public func archive(_ request: [UInt8], requester: String) async throws {
        let result = try await self.authority.submit(
            EnrollmentSubmission(requestBytes: request, caller: Principal(name: requester, roles: [.enrollee])))
        guard result.certificateDER != nil else { throw result.failure ?? ServiceError.notIssued(result.requestID) }
    }

    /// Takes the recovery blobs of archived keys, newest first.
    ///
    /// - Throws: a `DiagnosableError`.
    public func recoveryBlobs(ofKeysMatching term: String, limit: Int) async throws -> [[UInt8]] {
        let who = try await self.authority.localOperator()
        var blobs: [[UInt8]] = []
        for key in try await self.authority.instance.archivedKeys(matching: term, for: who).prefix(limit) {
            blobs.append(try await self.authority.recoveryBlob(matching: key.serialNumber, by: who).der)
        }
        return blobs
    }

    /// Opens recovery blobs with an agent's card: signature, chain and key of each are checked.
    ///
    /// - Returns: how many keys were opened.
    /// - Throws: a `DiagnosableError` when one does not open.
    public func recover(_ blobs: [[UInt8]], with card: RecoveryAgentCard) async throws -> Int {
        try await self.recover(
            blobs.enumerated().map { index, blob in AgentRecovery.Source(name: "\(index)") { blob } }, with: card)
    }

    /// The same with blobs in files, of which a few at a time are in memory.
    public func recover(files: [String], with card: RecoveryAgentCard) async throws -> Int {
        try await self.recover(files.map(AgentRecovery.Source.init), with: card)
    }

    private func recover(_ sources: [AgentRecovery.Source], with card: RecoveryAgentCard) async throws -> Int {
        let chain = try await self.authority.instance.authorityCertificates()
            .map { TextEncoding.pem($0.derBytes, label: "CERTIFICATE") }
        let recovery = try AgentRecovery(sources, authorityPEM: Array(chain.joined().utf8))
        var opened = 0
        try await recovery.open { _ in
            card.token
        } take: { _ in
            opened += 1
        }
        return opened
    }

    /// Imports the keys of a PKCS #12 file, or of a directory of them.
    ///
    /// - Returns: how many keys were archived.
    /// - Throws: a `DiagnosableError` for what concerns all keys.
    public func importKeys(_ path: String, password: String) async throws -> Int {
        let who = try await self.authority.localOperator()
        let run = try KeyImportRun(
            importer: self.authority.keyImporter(isForced: false, for: who),
            passwords: [SecretBytes(copying: password.utf8)], journalPath: nil, by: who)
        return try await run.run(path) { _ in }.keysArchived
    }
}

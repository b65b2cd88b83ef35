import Dispatch
package import KeyArchival
package import KeyProvider
package import PKIMessages
package import SecretMemory
import Synchronization

/// Recovery blobs in an agent's hands: checked, shown, and only then opened with the card. Needs no instance.
package struct AgentRecovery: Sendable {
    /// A blob and what it is called.
    package struct Blob: Sendable {
        package let name: String
        package let recovery: KeyRecovery

        package var subject: String { "\(self.recovery.certificate.subject)" }
        package var serialNumber: String { self.recovery.certificate.serialHex }
        package var recipients: [String] { self.recovery.recipients.map(\.description) }
    }

    /// A key that was opened.
    package struct Opened: Sendable {
        package let blob: Blob
        package let key: RecoveredKey
    }

    /// What is wanted of the PKCS #12 files.
    package struct FileSettings: Sendable {
        package var password: SecretBytes
        package var protection: PKCS12.Protection
        /// CA certificates beside those in the blobs.
        package var furtherChain: [CertificateFields]

        package init(
            password: SecretBytes, protection: PKCS12.Protection = .modern, furtherChain: [CertificateFields] = []
        ) {
            self.password = password
            self.protection = protection
            self.furtherChain = furtherChain
        }
    }

    package let blobs: [Blob]

    /// - Parameters:
    ///   - blobs: DER, each with a name for messages, such as its file.
    ///   - authorityPEM: the certificates of the CAs that may have signed them.
    /// - Throws: `ArchivalError` with code `untrustedBlob`, `PKIMessageError`.
    package init(blobs: [(name: String, bytes: [UInt8])], authorityPEM: [UInt8]) throws {
        let trusted = try CertificateBundle.parse(authorityPEM)
        guard !trusted.isEmpty else { throw ServiceError.noTrustedCertificate() }
        let read = ReadCertificates<CertificateFields>()
        let checked = Mutex<[Int: Result<KeyRecovery, any Error>]>([:])
        DispatchQueue.concurrentPerform(iterations: blobs.count) { index in
            let result = Result { try KeyRecovery(blobDER: blobs[index].bytes, trusting: trusted, read: read) }
            checked.withLock { $0[index] = result }
        }
        let results = checked.withLock { $0 }
        self.blobs = try blobs.enumerated().compactMap { index, blob in
            try (results[index]?.get()).map { Blob(name: blob.name, recovery: $0) }
        }
    }

    /// Of blobs that were checked before.
    init(checked blobs: [Blob]) { self.blobs = blobs }

    package init(blob: [UInt8], authorityPEM: [UInt8]) throws {
        try self.init(blobs: [("blob", blob)], authorityPEM: authorityPEM)
    }

    /// Opens every blob, asking for one card after another until all are open.
    ///
    /// - Parameters:
    ///   - nextCard: gives a token that can open one of the blobs; see ``TokenOpener/openCard(among:for:)``.
    ///   - progress: called after each key with how many are open.
    /// - Throws: nothing is given back unless all blobs open.
    package func open(
        nextCard: ([Blob]) async throws -> any KeyToken, progress: (Int) -> Void = { _ in }
    ) async throws -> [Opened] {
        var opened: [Int: RecoveredKey] = [:]
        while opened.count < self.blobs.count {
            let rest = self.blobs.indices.filter { opened[$0] == nil }
            let card = try await RecoveryCard(nextCard(rest.map { self.blobs[$0] }))
            let before = opened.count
            try await self.open(rest, with: card) { index, key in
                opened[index] = key
                progress(opened.count)
            }
            if opened.count == before, let first = rest.first { throw self.blobs[first].recovery.noRecoveryKey }
        }
        return self.blobs.indices.compactMap { index in
            opened[index].map { Opened(blob: self.blobs[index], key: $0) }
        }
    }

    /// So many at a time that the card has work while an opened key is looked at.
    private static let concurrentKeys = 4

    /// Opens those of the blobs that the card opens.
    private func open(
        _ indices: [Int], with card: RecoveryCard, _ body: (Int, RecoveredKey) -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: (Int, RecoveredKey?).self) { group in
            var rest = indices[...]
            func addNext() {
                guard let index = rest.popFirst() else { return }
                let recovery = self.blobs[index].recovery
                group.addTask {
                    do {
                        return (index, try await recovery.recover(with: card))
                    } catch let error as ArchivalError where error.code == .noRecoveryKey {
                        // Another card's.
                        return (index, nil)
                    }
                }
            }
            for _ in 0..<Self.concurrentKeys { addNext() }
            while let (index, key) = try await group.next() {
                if let key { body(index, key) }
                addNext()
            }
        }
    }

    /// Key, certificate and chain of all of them in one PKCS #12.
    package static func pkcs12(_ opened: [Opened], _ settings: FileSettings) throws -> SecretBytes {
        try PKCS12.make(
            opened.map { item in
                PKCS12.Entry(
                    privateKey: item.key.privateKey.derBytes, certificate: item.key.certificate.derBytes,
                    friendlyName: item.blob.subject)
            },
            chain: opened.flatMap { $0.key.chain.map(\.derBytes) } + settings.furtherChain.map(\.derBytes),
            password: settings.password, protection: settings.protection)
    }

    /// Opens the only blob and packs key, certificate and chain.
    ///
    /// - Returns: the PKCS #12.
    package func recover(with card: any KeyToken, password: SecretBytes) async throws -> SecretBytes {
        try AgentRecovery.pkcs12(await self.open { _ in card }, FileSettings(password: password))
    }
}

/// A password that is shown to somebody once.
package enum GeneratedPassword {
    /// Sixty-four, without those that look alike: six bits a character.
    private static let alphabet = Array("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789+-=_%.@".utf8)
    package static let characters = 16

    /// Sixteen characters, 96 bits.
    ///
    /// - Parameter random: gives as many random bytes as it is asked for.
    package static func make(random: (Int) throws -> [UInt8] = LibCrypto.randomBytes) throws -> SecretBytes {
        var bytes = try random(self.characters)
        for index in bytes.indices { bytes[index] = self.alphabet[Int(bytes[index] & 0x3F)] }
        return try SecretBytes(moving: &bytes)
    }
}

package import CertificateAuthority
import Diagnostics
import Foundation
import KeyArchival
import KeyProvider
import PKIMessages
package import SecretMemory

/// CA keys that are to be written into a PKCS #12.
package struct KeyFileOrder: Sendable {
    package var file: String
    /// One of the CA's keys; all of them when `nil`.
    package var keyIndex: Int?
    /// Whether a file that is there is replaced.
    package var replaces: Bool
    /// Asked for when it is clear that the keys may leave their tokens.
    package var password: @Sendable () throws -> SecretBytes

    package init(
        file: String, keyIndex: Int? = nil, replaces: Bool = false,
        password: @escaping @Sendable () throws -> SecretBytes
    ) {
        self.file = file
        self.keyIndex = keyIndex
        self.replaces = replaces
        self.password = password
    }
}

/// A CA key, where it is now.
struct PlacedKey {
    /// The newest certificate of the key.
    let record: CACertificateRecord
    let pair: TokenKeyPair
    let token: any KeyToken
}

extension Instance {
    /// Writes CA keys, each with its newest certificate, and all other certificates of the CA and those above into a PKCS #12.
    /// Only of keys that an operator has imported from a software CA and that the token has as extractable still.
    ///
    /// A key leaves its token wrapped (RFC 5649) under a key that the token makes for this and that is encrypted to one that
    /// this process forgets; it is plaintext in locked memory only, until it is encrypted with the password. Audit event 10014
    /// before the file is there: there is none that the trail does not know of.
    ///
    /// - Returns: the indices of the keys, the newest first.
    /// - Throws: `RequestError` without the role of backup operator; ``ServiceError``: `keyLeavesNoToken` (0x8009000b) for a key
    ///   that may not leave its token, `exists` (0x80070050), `keyNotNamed`, `notWritten`; `KeyProviderError`. No file is
    ///   there then, and one that was there is as it was.
    package func writeKeys(_ order: KeyFileOrder, by who: Principal) async throws -> [Int] {
        try who.mustBeAllowed(.backUp, to: "back the CA's keys up")
        let keys = try await self.keysForFile(order)
        guard order.replaces || !FilePaths.exists(order.file) else { throw ServiceError.exists(order.file, "The file") }
        let password = try order.password()
        let file = try await self.keyFile(of: keys, password: password)
        let path = FilePaths.resolve(order.file, in: FileManager.default.currentDirectoryPath)
        for key in keys {
            let details = key.pair.auditDetails(on: key.token).merging(["File": path]) { own, _ in own }
            try await self.record(.keyCopied, by: who, details: details)
        }
        try order.replaces
            ? FilePaths.replace(order.file, secret: file) : FilePaths.create(order.file, secret: file)
        try await self.noteKeyFile(of: keys)
        return keys.map(\.record.keyIndex)
    }

    /// Whether ``writeKeys(_:by:)`` may write all keys of the CA.
    package func keysMayBeInFile() async throws -> Bool {
        for key in try await self.placedKeys(nil) where try await !self.mayBeInFile(key) { return false }
        return true
    }

    private func keysForFile(_ order: KeyFileOrder) async throws -> [PlacedKey] {
        let keys = try await self.placedKeys(order.keyIndex)
        var kept: [PlacedKey] = []
        for key in keys where try await !self.mayBeInFile(key) { kept.append(key) }
        guard kept.isEmpty else {
            throw try await self.keyLeavesNoToken(file: order.file, keys: kept.map(\.pair.locator.reference.uri))
        }
        return keys
    }

    private func mayBeInFile(_ key: PlacedKey) async throws -> Bool {
        let attributes = key.pair.attributes
        guard attributes.extractable == true, attributes.neverExtractable == false else { return false }
        return try await self.wasImported(key.pair.locator)
    }

    /// The newest key first.
    ///
    /// - Throws: ``ServiceError`` with code `keyNotNamed` when the CA has no such key.
    func placedKeys(_ keyIndex: Int?) async throws -> [PlacedKey] {
        let records = try await self.storage.read { try $0.ownCACertificates() }
        var keys: [PlacedKey] = []
        for (record, locator) in records.newestOfEachPlacedKey where keyIndex == nil || record.keyIndex == keyIndex {
            let token = try await self.token(holding: locator)
            keys.append(PlacedKey(record: record, pair: try await token.keyPair(locator), token: token))
        }
        guard !keys.isEmpty else { throw ServiceError.noSuchKey(keyIndex, of: self.configuration.name) }
        return keys
    }

    private func keyFile(of keys: [PlacedKey], password: SecretBytes) async throws -> SecretBytes {
        var entries: [PKCS12.Entry] = []
        for key in keys {
            entries.append(
                PKCS12.Entry(
                    privateKey: try await key.privateKey(), certificate: key.record.certificateDER,
                    friendlyName: self.configuration.name))
        }
        let bundle = try await self.storage.read { try $0.caCertificates() }.bundle
        let file = try PKCS12.make(
            entries, chain: bundle.map(\.certificateDER), password: password, protection: .modern)
        // What cannot be opened with the password is no backup.
        guard try PKCS12.openAll(file, password: password).entries.count == entries.count else {
            throw ServiceError.keyFileNotWhole()
        }
        return file
    }

    private func noteKeyFile(of keys: [PlacedKey]) async throws {
        let when = self.surroundings.now().ISO8601Format()
        try await self.storage.write { db in
            for key in keys {
                let sha256 = Hexadecimal.lower(key.pair.locator.publicKeySHA256)
                try db.setSetting(Self.keyFileSetting(sha256), to: when)
            }
            guard let newest = try db.ownCACertificates().map(\.index).max(), keys[0].record.index == newest else {
                return
            }
            try Self.noteKeyFile(withCertificate: newest, db)
        }
    }

    /// When a key was last written into a PKCS #12.
    static func keyFileSetting(_ publicKeySHA256: String) -> String { "backup.key-file.\(publicKeySHA256)" }
}

/// Which keys existed in software before they were on a token.
extension Instance {
    private static func importSetting(_ locator: KeyLocator) -> String {
        "key.imported.\(Hexadecimal.lower(locator.publicKeySHA256))"
    }

    static func noteImport(of locator: KeyLocator, when: Date, _ db: any StorageWriting) throws {
        try db.setSetting(Self.importSetting(locator), to: when.ISO8601Format())
    }

    /// Whether an operator has imported the key from a software CA (audit event 10012).
    func wasImported(_ locator: KeyLocator) async throws -> Bool {
        try await self.storage.read { try $0.setting(Self.importSetting(locator)) } != nil
    }
}

extension PlacedKey {
    /// The key for which a private key is encrypted on its way out of the token, and that lives as long.
    private static let receiverBits = 3072

    /// DER PrivateKeyInfo.
    fileprivate func privateKey() async throws -> SecretBytes {
        let receiver = try PrivateKeyInfo(derEncoded: SoftwareKeys.generate(.rsa(bits: Self.receiverBits)))
        let padding = self.padding
        let wrapped = try await self.token.wrappedCopy(
            of: self.pair.locator, to: receiver.subjectPublicKeyInfo().derBytes,
            transport: KeyTransportAlgorithm(padding))
        let wrappingKey = try receiver.decrypt(wrapped.encryptedKey, transport: padding)
        return try PrivateKeyInfo(
            derEncoded: SymmetricCipher.aesKeyUnwrapPadded(wrapped.wrappedPrivateKey, under: wrappingKey),
            allowingZeroPadding: true
        ).derBytes
    }

    /// The best that the token has.
    private var padding: TransportPadding {
        let paddings = [Digest.sha256, .sha384, .sha512, .sha1].map { TransportPadding.oaep($0) }
        return paddings.first { padding in
            guard case .rsaOAEP(let hash) = KeyTransportAlgorithm(padding) else { return false }
            return self.token.oaepHashes.contains(hash)
        } ?? .pkcs1v15
    }
}

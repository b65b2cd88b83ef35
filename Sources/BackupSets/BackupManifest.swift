package import Foundation
package import PKIMessages

/// What a backup is and what is in it. The CA signs it: `Database/certbkxp.dat` is a CMS SignedData around this JSON.
///
/// There is one encoding of a manifest: keys sorted, no blanks. Anything else is refused.
package struct BackupManifest: Sendable, Codable, Equatable {
    package static let currentFormat = 1
    package static let maximumBytes = 4 << 20

    package enum Kind: String, Sendable, Codable {
        case full
        case incremental
    }

    /// Where an incremental backup stands in the chain that a full one begins.
    package struct Link: Sendable, Codable, Equatable {
        /// Identifier of the full backup.
        package var base: String
        /// 1 for the first after the full one.
        package var position: Int
        /// The changes in it: those after ``after`` up to the manifest's ``BackupManifest/changeNumber``.
        package var after: Int64

        package init(base: String, position: Int, after: Int64) {
            self.base = base
            self.position = position
            self.after = after
        }
    }

    /// How far the CA had come.
    package struct State: Sendable, Codable, Equatable {
        /// The highest CRL number that was ever reserved.
        package var crlNumber: UInt64
        package var requestID: Int64
        /// The number of the last use of a CA key.
        package var intentID: Int64
        package var auditSequence: Int64
        /// Of the newest audit entry, lower-case hexadecimal.
        package var auditHash: String

        package init(crlNumber: UInt64, requestID: Int64, intentID: Int64, auditSequence: Int64, auditHash: String) {
            self.crlNumber = crlNumber
            self.requestID = requestID
            self.intentID = intentID
            self.auditSequence = auditSequence
            self.auditHash = auditHash
        }
    }

    /// A key that the CA needs and that is on a token, never in the backup.
    package struct Key: Sendable, Codable, Equatable {
        package enum Role: String, Sendable, Codable {
            case authority
            case exchange
            case recoveryAgent = "recovery-agent"
        }

        package var role: Role
        /// `pkcs11:` URI; `nil` for an agent's key, whose card the CA does not know.
        package var reference: String?
        /// SHA-256 of the SubjectPublicKeyInfo, lower-case hexadecimal.
        package var publicKeySHA256: String
        /// Subject of its certificate.
        package var subject: String
        /// How the key itself is kept; `nil` when nobody could say: its token was away, or it is on an agent's card.
        package var keeping: Keeping?

        /// A key is in no backup. What there is instead.
        package struct Keeping: Sendable, Codable, Equatable {
            package enum Way: String, Sendable, Codable {
                /// The backup has its reference; a copy can be made, or the maker of its device makes one.
                case locator
                /// A backup token has a copy, encrypted from token to token.
                case copied
                /// No copy can be made.
                case none
            }

            package var way: Way
            /// The backup token; what the maker offers; why there is no copy.
            package var detail: String

            package init(_ way: Way, _ detail: String) {
                self.way = way
                self.detail = detail
            }
        }

        package init(
            role: Role, reference: String?, publicKeySHA256: String, subject: String, keeping: Keeping? = nil
        ) {
            self.role = role
            self.reference = reference
            self.publicKeySHA256 = publicKeySHA256
            self.subject = subject
            self.keeping = keeping
        }
    }

    /// A file of the set.
    package struct File: Sendable, Codable, Equatable {
        /// Path inside the set's directory.
        package var path: String
        package var byteCount: Int64
        /// Lower-case hexadecimal.
        package var sha256: String

        package init(path: String, byteCount: Int64, sha256: String) {
            self.path = path
            self.byteCount = byteCount
            self.sha256 = sha256
        }
    }

    package var format = Self.currentFormat
    /// 16 random bytes, lower-case hexadecimal.
    package var backupID: String
    package var kind: Kind
    /// `nil` for a full backup.
    package var link: Link?
    /// The newest change that is in it.
    package var changeNumber: Int64
    /// The CA's name.
    package var authority: String
    /// SHA-256 of the CA's first certificate, lower-case hexadecimal: what stays the same for ever.
    package var authoritySHA256: String
    /// SHA-256 of each certificate that comes with the signature, lower-case hexadecimal: of the signer, then of those above.
    package var certificates: [String]
    /// ISO 8601.
    package var createdWhen: String
    package var program: String
    /// Of the database, in order.
    package var migrations: [String]
    package var state: State
    package var keys: [Key]
    /// The encrypted part, then the other files.
    package var files: [File]
    package var entries: [BackupEntry]

    package init(
        backupID: String, kind: Kind, link: Link? = nil, changeNumber: Int64, authority: String,
        authoritySHA256: String, certificates: [String], createdWhen: Date, program: String, migrations: [String],
        state: State, keys: [Key],
        files: [File], entries: [BackupEntry]
    ) {
        self.backupID = backupID
        self.kind = kind
        self.link = link
        self.changeNumber = changeNumber
        self.authority = authority
        self.authoritySHA256 = authoritySHA256
        self.certificates = certificates
        self.createdWhen = createdWhen.ISO8601Format()
        self.program = program
        self.migrations = migrations
        self.state = state
        self.keys = keys
        self.files = files
        self.entries = entries
    }

    package func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }

    private struct Format: Codable {
        var format: Int
    }

    /// - Parameter name: the file's, for errors.
    /// - Throws: ``BackupError`` with code `changed` or `newerFormat`.
    package init(json: [UInt8], name: String) throws {
        // `try?`: JSON or not, it is not a manifest.
        let decoder = JSONDecoder()
        guard let format = try? decoder.decode(Format.self, from: Data(json)).format else {
            throw BackupError.changed(name, "it is no manifest")
        }
        guard format == Self.currentFormat else { throw BackupError.newerFormat(name, format) }
        guard let manifest = try? decoder.decode(BackupManifest.self, from: Data(json)),
            try manifest.json() == json, manifest.isConsistent
        else { throw BackupError.changed(name, "it is no manifest of format \(format)") }
        self = manifest
    }

    private var isConsistent: Bool {
        (self.kind == .incremental) == (self.link != nil) && !self.files.isEmpty
            && self.files.allSatisfy { BackupEntry.isSafe($0.path) && $0.byteCount >= 0 }
            && Hexadecimal.bytes(self.backupID)?.count == PartHeader.identifierBytes
    }
}

/// A manifest with the CA's signature.
package struct SignedManifest: Sendable {
    package let manifest: BackupManifest
    /// DER ContentInfo.
    package let bytes: [UInt8]
    private let signed: SignedData

    /// - Parameter name: the file's, for errors.
    /// - Throws: ``BackupError``. The signature is not checked here: ``verify(with:name:)``.
    package init(bytes: [UInt8], name: String) throws {
        let signed: SignedData
        do { signed = try SignedData(contentInfoDER: bytes) } catch {
            throw BackupError.changed(name, "it is no signed message")
        }
        guard let content = signed.eContent, signed.eContentType == OID.data, signed.signerInfos.count == 1 else {
            throw BackupError.changed(name, "it is no signed manifest")
        }
        self.manifest = try BackupManifest(json: content, name: name)
        guard SignedManifest.isPlain(signed),
            self.manifest.certificates == signed.certificates.map({ Hexadecimal.lower(Digest.sha256.hash($0)) })
        else { throw BackupError.changed(name, "what stands around the manifest is not what was written") }
        self.bytes = bytes
        self.signed = signed
    }

    /// Nothing that the signature does not cover can be other than it was written.
    private static func isPlain(_ signed: SignedData) -> Bool {
        let signer = signed.signerInfos[0]
        // `try?`: what is no certificate has signed nothing.
        guard let first = signed.certificates.first, let certificate = try? CertificateFields(derEncoded: first),
            signer.sid == .issuerAndSerialNumber(IssuerAndSerialNumber(certificate))
        else { return false }
        // The reader takes contents of other types than OCTET STRING, as PKCS #7 has them. `try?`: no such content is plain.
        guard let plain = try? EncapsulatedContentInfo(eContentType: OID.data, eContent: signed.eContent),
            signed.encapContentInfo == plain
        else { return false }
        return signed.version == 1 && signed.crls.isEmpty && signed.digestAlgorithms == [signer.digestAlgorithm]
            && signer.signedAttributes?.count == 2 && signer.unsignedAttributes.isEmpty
    }

    /// The certificates that came with the signature, DER: the CA's own and those above. Nothing says yet that they are
    /// to be trusted.
    package var certificates: [[UInt8]] { self.signed.certificates }

    /// - Parameter keys: any one of them may have signed.
    /// - Throws: ``BackupError`` with code `foreign` when none has.
    package func verify(with keys: [SubjectPublicKeyInfo], name: String) throws {
        // `try?`: a signature of another key is what is looked for.
        guard keys.contains(where: { (try? self.signed.verifySignature(key: $0)) != nil }) else {
            throw BackupError.foreign(name, "no trusted CA key has signed it as it is")
        }
    }
}

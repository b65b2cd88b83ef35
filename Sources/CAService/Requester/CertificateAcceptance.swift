import CertificateAuthority
import Diagnostics
package import Foundation
package import KeyProvider
package import PKIMessages

/// What a requester does with an answer: the certificate is compared with the key, its chain verified up to a root that
/// the requester trusts, and only then it is installed.
package struct CertificateAcceptance: Sendable {
    private let answer: [CertificateFields]
    private let trusted: [CertificateFields]
    private let now: Date

    /// - Parameters:
    ///   - answer: the certificate, with or without those above it, in any order.
    ///   - trusted: roots, and certificates between them and the answer.
    package init(answer: [CertificateFields], trusted: [CertificateFields], now: Date = Date()) {
        self.answer = answer
        self.trusted = trusted
        self.now = now
    }

    /// Reads a certificate (PEM or DER), several in one PEM file, a `.p7b`, or a CMC full response.
    ///
    /// - Throws: `PKIMessageError` when it is none of them.
    package static func certificates(in bytes: [UInt8]) throws -> [CertificateFields] {
        // `try?`: the other forms follow.
        if let found = try? CertificateBundle.parse(bytes), !found.isEmpty { return found }
        let message = try SignedData(contentInfoDER: TextEncoding.decode(bytes, what: "answer"))
        return try message.certificates.map { try CertificateFields(derEncoded: $0) }
    }

    /// The certificate for a key, then those above it, the root last.
    ///
    /// - Throws: ``ServiceError``: `certificateKeyMismatch` (0x80100030) when the answer has none for the key,
    ///   `untrustedChain` (0x800B010A).
    package func path(for key: SubjectPublicKeyInfo, on holder: String) throws -> [CertificateFields] {
        guard let leaf = self.answer.first(where: { $0.subjectPublicKeyInfo == key }) else {
            throw ServiceError.certificateKeyMismatch(holder)
        }
        let above: [CertificateFields]
        do {
            above = try CACertificateChain((self.trusted + self.answer).map(\.derBytes))
                .path(toEndEntity: leaf, at: self.now)
        } catch let error as IssuanceError {
            throw ServiceError.untrustedChain(error.reason)
        }
        guard let root = above.last, self.trusted.contains(where: { $0.derBytes == root.derBytes }) else {
            throw ServiceError.untrustedChain("its root is not among the CA certificates that are trusted")
        }
        return [leaf] + above
    }

    /// Finds the key on the token and writes the certificate beside it.
    ///
    /// - Returns: the certificate, and its key.
    package func install(on token: any KeyToken) async throws -> (CertificateFields, TokenKeyPair) {
        let pairs = try await token.keyPairs()
        let wanted = Set(self.answer.map(\.subjectPublicKeyInfo.derBytes))
        guard let pair = pairs.first(where: { wanted.contains($0.subjectPublicKeyInfo) }) else {
            throw ServiceError.certificateKeyMismatch("\(token.identification)")
        }
        let path = try self.path(
            for: SubjectPublicKeyInfo(derEncoded: pair.subjectPublicKeyInfo), on: "\(token.identification)")
        return (path[0], try await AgentEnrollment.accept(path[0], on: token))
    }

    /// Completes a requester's PKCS #12.
    package func install(in file: RequesterPKCS12) throws -> CertificateFields {
        let path = try self.path(for: file.key().key.subjectPublicKeyInfo, on: file.path)
        try file.install(path)
        return path[0]
    }
}

extension ServiceError {
    fileprivate static func untrustedChain(_ reason: String) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "untrustedChain"),
            headline: "The certificate was not installed: its chain does not verify: \(reason).", hresult: .chaining,
            advice: ["Get the CA's certificates from somebody you trust, and name them with --ca-certificates."])
    }
}

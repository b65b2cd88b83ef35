import Foundation
import PKIMessages
import X509

/// The certificates above a CA, from which its path to the root is built and checked (RFC 5280, section 6.1, as far as
/// it concerns CA certificates without policies).
struct CACertificateChain {
    /// The longest path, root included.
    static let maximumLength = 8

    private let candidates: [CertificateFields]

    init(_ certificates: [[UInt8]]) throws {
        self.candidates = try certificates.map { try CertificateFields(derEncoded: $0) }
    }

    /// The issuers of `own`, its own first, the root last. Empty when `own` is a root.
    ///
    /// - Throws: ``IssuanceError`` with code `invalidCACertificate`.
    func path(from own: CertificateFields, at date: Date) throws -> [CertificateFields] {
        try self.check(own, depth: 0, at: date)
        var path: [CertificateFields] = []
        var current = own
        while !current.isRoot {
            guard path.count < CACertificateChain.maximumLength else {
                throw IssuanceError.invalidCACertificate("its chain is too long or runs in a circle")
            }
            guard let issuer = self.issuer(of: current) else {
                throw IssuanceError.invalidCACertificate(
                    "the issuer of \(current.name) is missing, or its signature does not verify")
            }
            try self.check(issuer, depth: path.count + 1, at: date)
            path.append(issuer)
            current = issuer
        }
        return path
    }

    private func issuer(of certificate: CertificateFields) -> CertificateFields? {
        self.candidates.first {
            $0.subjectDER == certificate.issuerDER && certificate.isSigned(by: $0.subjectPublicKeyInfo)
        }
    }

    /// - Parameter depth: how many CA certificates follow below this one.
    private func check(_ certificate: CertificateFields, depth: Int, at date: Date) throws {
        guard case .isCertificateAuthority(let pathLength) = certificate.basicConstraints else {
            throw IssuanceError.invalidCACertificate("\(certificate.name) is not a certification authority's")
        }
        if let pathLength, depth > pathLength {
            throw IssuanceError.invalidCACertificate("the path length of \(certificate.name) is exceeded")
        }
        guard certificate.keyUsage.map({ $0.keyCertSign && (depth > 0 || $0.cRLSign) }) ?? true else {
            throw IssuanceError.invalidCACertificate(
                "the key usage of \(certificate.name) forbids signing certificates")
        }
        guard date >= certificate.notBefore, date <= certificate.notAfter else {
            throw IssuanceError.invalidCACertificate("\(certificate.name) is not valid now")
        }
    }
}

extension CertificateFields {
    fileprivate var isRoot: Bool { self.isSelfIssued && self.isSigned(by: self.subjectPublicKeyInfo) }
    fileprivate var name: String { DistinguishedNameText.text(of: self.subject) }
}

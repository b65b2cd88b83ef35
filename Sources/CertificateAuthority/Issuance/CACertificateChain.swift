package import Foundation
package import PKIMessages
import X509

/// The certificates above a CA, from which its path to the root is built and checked (RFC 5280, section 6.1, as far as
/// it concerns CA certificates without policies).
package struct CACertificateChain {
    /// The longest path, root included.
    static let maximumLength = 8

    private let candidates: [CertificateFields]

    package init(_ certificates: [[UInt8]]) throws {
        self.candidates = try certificates.map { try CertificateFields(derEncoded: $0) }
    }

    /// The issuers of `own`, its own first, the root last. Empty when `own` is a root.
    ///
    /// - Throws: ``IssuanceError`` with code `invalidCACertificate`.
    package func path(from own: CertificateFields, at date: Date) throws -> [CertificateFields] {
        try self.check(own, depth: 0, at: date)
        return try self.issuers(above: own, at: date)
    }

    /// The issuers of an end entity's certificate, its own first, the root last.
    ///
    /// - Throws: ``IssuanceError`` with code `invalidCACertificate`.
    package func path(toEndEntity leaf: CertificateFields, at date: Date) throws -> [CertificateFields] {
        guard leaf.notBefore <= date, date <= leaf.notAfter else {
            throw IssuanceError.invalidCACertificate("\(leaf.name) is not valid now")
        }
        guard let issuer = self.issuer(of: leaf) else { throw self.issuerMissing(of: leaf) }
        try self.check(issuer, depth: 0, signsLists: false, at: date)
        return [issuer] + (try self.issuers(above: issuer, at: date))
    }

    private func issuers(above own: CertificateFields, at date: Date) throws -> [CertificateFields] {
        var path: [CertificateFields] = []
        var current = own
        while !current.isSelfSigned {
            guard path.count < CACertificateChain.maximumLength else {
                throw IssuanceError.invalidCACertificate("its chain is too long or runs in a circle")
            }
            guard let issuer = self.issuer(of: current) else { throw self.issuerMissing(of: current) }
            try self.check(issuer, depth: path.count + 1, at: date)
            path.append(issuer)
            current = issuer
        }
        return path
    }

    private func issuer(of certificate: CertificateFields) -> CertificateFields? {
        self.candidates.issuer(of: certificate)
    }

    private func issuerMissing(of certificate: CertificateFields) -> IssuanceError {
        .invalidCACertificate("the issuer of \(certificate.name) is missing, or its signature does not verify")
    }

    /// - Parameters:
    ///   - depth: how many CA certificates follow below this one.
    ///   - signsLists: whether the lowest one has to be able to sign CRLs, as a CA of ours does.
    private func check(
        _ certificate: CertificateFields, depth: Int, signsLists: Bool = true, at date: Date
    ) throws {
        guard case .isCertificateAuthority(let pathLength) = certificate.basicConstraints else {
            throw IssuanceError.invalidCACertificate("\(certificate.name) is not a certification authority's")
        }
        if let pathLength, depth > pathLength {
            throw IssuanceError.invalidCACertificate("the path length of \(certificate.name) is exceeded")
        }
        guard certificate.keyUsage.map({ $0.keyCertSign && (depth > 0 || !signsLists || $0.cRLSign) }) ?? true else {
            throw IssuanceError.invalidCACertificate(
                "the key usage of \(certificate.name) forbids signing certificates")
        }
        guard date >= certificate.notBefore, date <= certificate.notAfter else {
            throw IssuanceError.invalidCACertificate("\(certificate.name) is not valid now")
        }
    }
}

extension CertificateFields {
    fileprivate var name: String { DistinguishedNameText.text(of: self.subject) }
}

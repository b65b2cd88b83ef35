import PKIMessages
import X509

/// The extensions of a CA's own certificate, or those that its request asks for.
enum CACertificateExtensions {
    /// Extensions that say who or which certificate it is, and are made anew at each renewal.
    private static let identifying = [
        OID.subjectKeyIdentifier, OID.authorityKeyIdentifier, OID.msCAVersion, OID.msPreviousCertHash,
        OID.msCertificateTemplateName, OID.msCertificateTemplate,
    ]
    /// Extensions that the issuer sets: for a root they are its own, for a subordinate the parent's.
    private static let issuers = [OID.crlDistributionPoints, OID.authorityInformationAccess]

    static func all(
        _ content: [Certificate.Extension], key: SubjectPublicKeyInfo, position: CACertificatePosition
    ) throws -> [Certificate.Extension] {
        let identifier = try ExtensionEncoding.subjectKeyIdentifier(key.keyIdentifier)
        let version = try ExtensionEncoding.caVersion(position.version)
        let previous = try position.previousSHA1.map { try ExtensionEncoding.previousCACertificateHash($0) }
        return [identifier] + content + [version] + (previous.map { [$0] } ?? [])
    }

    /// What a link certificate says of the key that it is for: the same as that key's own certificate, but for what
    /// the issuer sets.
    static func linking(_ certificate: CertificateFields) -> [Certificate.Extension] {
        let dropped = Set(self.identifying).subtracting([OID.msCAVersion]).union(self.issuers)
        return certificate.extensions.filter { !dropped.contains($0.oid) }
    }

    /// What a renewed certificate takes over from the one before it, when nothing else is wanted.
    static func carriedOver(from certificate: CertificateFields) -> [Certificate.Extension] {
        let dropped = identifying + (certificate.isSelfIssued ? [] : self.issuers)
        return certificate.extensions.filter { !dropped.contains($0.oid) }
    }
}

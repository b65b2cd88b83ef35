import CertificateAuthority

/// Where CA certificates and CRLs are published: one pattern for the address in certificates and for the file.
enum PublicationPattern {
    static let certificate = "%3%4.crt"
    static let crl = "%3%8.crl"
}

/// Writes CA certificates and CRLs into `publish/`, where the service and any web server can serve them.
///
/// The database has them first; a file that is missing or old is written again at the next publication.
struct Publisher: Sendable {
    let directory: String
    let authorityName: String

    /// - Returns: the file's path.
    func publish(_ certificate: CACertificateRecord) throws -> String {
        try self.write(
            certificate.certificateDER, to: PublicationPattern.certificate, certificateIndex: certificate.index,
            keyIndex: certificate.keyIndex)
    }

    /// - Returns: the file's path.
    func publish(_ crl: CRLRecord) throws -> String {
        try self.write(crl.crlDER, to: PublicationPattern.crl, certificateIndex: 0, keyIndex: crl.caKeyIndex)
    }

    private func write(
        _ bytes: [UInt8], to pattern: String, certificateIndex: Int, keyIndex: Int
    ) throws -> String {
        let name = try PublicationURL.expand(
            pattern, caName: self.authorityName, certificateIndex: certificateIndex, keyIndex: keyIndex,
            isFileName: true)
        let path = "\(self.directory)/\(name)"
        try FilePaths.replace(path, with: bytes, mode: 0o644)
        return path
    }
}

package import CertificateAuthority

/// What a CA publishes: its certificates and CRLs. Readable by everybody.
package protocol PublicationReading: Sendable {
    /// The CA's common name, which is also the stem of its published files' names.
    var caName: String { get }

    /// The CA's own certificates and those above them up to the root, in any order.
    func caCertificates() async throws -> [CACertificateRecord]

    /// The newest base CRL of a CA key, `nil` before the first one.
    func latestCRL(keyIndex: Int) async throws -> CRLRecord?

    /// The bytes of a further published file, such as the certificate and CRL of the CA above, which an operator
    /// put there; `nil` when there is no such file. The name is checked already: see ``PublishedFileName``.
    func file(named name: PublishedFileName) async throws -> [UInt8]?
}

package import CertificateAuthority

/// What a CA publishes: its certificates and CRLs. Readable by everybody.
package protocol PublicationReading: Sendable {
    /// The CA's common name, which is also the stem of its published files' names.
    var caName: String { get }

    /// The CA's own certificates and those above them up to the root, in any order.
    func caCertificates() async throws -> [CACertificateRecord]

    /// The newest CRL of a key or shard, `nil` before the first one.
    func latestCRL(_ scope: CRLScope, _ kind: CRLKind) async throws -> CRLRecord?

    /// A piece of a CRL's bytes from that offset on, empty after its end. Large lists are not in memory.
    func piece(of crl: CRLRecord, at offset: Int) async throws -> [UInt8]

    /// The bytes of a further published file, such as the certificate and CRL of the CA above, which an operator
    /// put there; `nil` when there is no such file. The name is checked already: see ``PublishedFileName``.
    func file(named name: PublishedFileName) async throws -> [UInt8]?
}

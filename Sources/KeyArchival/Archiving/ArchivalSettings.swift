package import CertificateAuthority
package import PKIMessages

/// How private keys are archived.
package struct ArchivalSettings: Sendable {
    /// `nil`: ``ArchiveFormat/tokenWrapped`` where request and token allow it, else ``ArchiveFormat/cmsAES``.
    package var format: ArchiveFormat?
    /// How the content-encryption key is encrypted to the agents. `nil`: OAEP with the first hash that the exchange
    /// token takes, RSAES-PKCS1-v1_5 where it takes none.
    package var keyTransport: TransportPadding?
    /// False refuses every request whose key would be plaintext in the host's memory.
    package var isHostPlaintextAllowed: Bool

    /// How many of a key's agents have to open it together. `nil`: any one of them opens it alone.
    package var threshold: Int?

    package init(
        format: ArchiveFormat? = nil, keyTransport: TransportPadding? = nil, isHostPlaintextAllowed: Bool = true,
        threshold: Int? = nil
    ) {
        self.format = format
        self.keyTransport = keyTransport
        self.isHostPlaintextAllowed = isHostPlaintextAllowed
        self.threshold = threshold
    }
}

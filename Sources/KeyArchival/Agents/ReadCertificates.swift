import PKIMessages

/// What was read of certificates that each archival looks at, so that it is read once: the bytes say the same for ever.
package final class ReadCertificates<Value: Sendable>: Sendable {
    private let known = RememberedValues<ExactBytes, Value>()

    package init() {}

    /// - Parameter examine: makes what is kept of a certificate.
    /// - Throws: ``PKIMessageError`` for bytes that are no certificate, which are not kept.
    func value(of certificateDER: [UInt8], _ examine: (CertificateFields) -> Value) throws -> Value {
        try self.known.value(of: ExactBytes(certificateDER)) {
            try examine(CertificateFields(derEncoded: certificateDER))
        }
    }
}

import PKIMessages
import Synchronization

/// What was read of certificates that each archival looks at, so that it is read once: the bytes say the same for ever.
package final class ReadCertificates<Value: Sendable>: Sendable {
    /// More than an instance has agents and exchange certificates; what is beyond is read again.
    private static var maximumCount: Int { 256 }

    private let known = Mutex<[[UInt8]: Value]>([:])

    package init() {}

    /// - Parameter examine: makes what is kept of a certificate.
    /// - Throws: ``PKIMessageError`` for bytes that are no certificate, which are not kept.
    func value(of certificateDER: [UInt8], _ examine: (CertificateFields) -> Value) throws -> Value {
        if let value = self.known.withLock({ $0[certificateDER] }) { return value }
        let value = try examine(CertificateFields(derEncoded: certificateDER))
        self.known.withLock { known in
            if known.count >= Self.maximumCount { known.removeAll() }
            known[certificateDER] = value
        }
        return value
    }
}

import PKIMessages
import Synchronization

/// What was read of certificates that each archival looks at, so that it is read once: the bytes say the same for ever.
package final class ReadCertificates<Value: Sendable>: Sendable {
    /// More than an instance has agents and exchange certificates; what is beyond is read again.
    private static var maximumCount: Int { 256 }

    private let known = Mutex<[ExactBytes: Value]>([:])

    package init() {}

    /// - Parameter examine: makes what is kept of a certificate.
    /// - Throws: ``PKIMessageError`` for bytes that are no certificate, which are not kept.
    func value(of certificateDER: [UInt8], _ examine: (CertificateFields) -> Value) throws -> Value {
        let name = ExactBytes(certificateDER)
        if let value = self.known.withLock({ $0[name] }) { return value }
        let value = try examine(CertificateFields(derEncoded: certificateDER))
        self.known.withLock { known in
            if known.count >= Self.maximumCount { known.removeAll() }
            known[name] = value
        }
        return value
    }
}

/// Bytes by which something is looked up: an array of bytes hashes one after another, these all at once.
struct ExactBytes: Hashable {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    func hash(into hasher: inout Hasher) {
        self.bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

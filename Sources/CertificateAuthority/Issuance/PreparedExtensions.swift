import Synchronization
import X509

/// The extensions that a template alone decides, encoded once for all certificates of the template as it is.
final class PreparedExtensions: Sendable {
    private struct Entry {
        let template: CertificateTemplate
        let keyUsage: [KeyUsageBit]
        let extensions: [Certificate.Extension]
    }

    /// The newest for each template, by its identifier.
    private let entries = Mutex<[String: Entry]>([:])

    /// - Parameters:
    ///   - keyUsage: the template's, as far as the key has them.
    ///   - encode: encodes them when they are not at hand.
    func extensions(
        of template: CertificateTemplate, keyUsage: [KeyUsageBit], encode: () throws -> [Certificate.Extension]
    ) rethrows -> [Certificate.Extension] {
        let found = self.entries.withLock { $0[template.oid] }
        // Templates change while the CA runs, and what policy takes away is not in the next request's.
        if let found, found.keyUsage == keyUsage, found.template == template { return found.extensions }
        let made = try encode()
        self.entries.withLock {
            $0[template.oid] = Entry(template: template, keyUsage: keyUsage, extensions: made)
        }
        return made
    }
}

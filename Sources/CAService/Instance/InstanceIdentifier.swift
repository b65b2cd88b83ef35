import CertificateAuthority
import PKIMessages
import SQLiteStorage

/// Tells an instance from every other one: 128 random bits in hexadecimal, in a file of its directory that moves and is
/// restored with it. Its database knows it as well. No secret: whoever makes it, the service's account can read it.
enum InstanceIdentifier {
    /// Made when there is none: of a new instance, of one of a version that had none, or of one that was restored.
    ///
    /// - Parameter known: what it is then; a new one when `nil`.
    static func ofInstance(
        _ layout: InstanceLayout, or known: String? = nil, _ surroundings: Surroundings
    ) throws -> String {
        let path = layout.identifierPath
        if !FilePaths.exists(path) {
            let identifier = try known ?? Hexadecimal.lower(surroundings.randomBytes(16))
            do { try FilePaths.createWhole(path, with: Array("\(identifier)\n".utf8), mode: 0o644) } catch {
                // Another process may have made it in the same moment.
                guard FilePaths.exists(path) else { throw error }
            }
        }
        let text = String(decoding: try FilePaths.read(path, limit: 64), as: UTF8.self)
        guard let match = text.wholeMatch(of: /([0-9a-f]{32})\n?/) else {
            throw ServiceError.unreadable(path, "it is no instance identifier of 32 hexadecimal digits")
        }
        return String(match.1)
    }
}

/// How a database that is opened is the instance's.
package enum DatabaseClaim: Sendable {
    /// It has to be this instance's, or nobody's yet.
    case own
    /// It was restored with the instance, and says itself whose it is.
    case restored
    /// It is another one's, to be taken over.
    case none
}

extension SQLiteStorage {
    /// - Parameter isElsewhere: a database that lies in the instance's directory moves with it.
    /// - Throws: `StorageError` with code `otherInstance`; ``ServiceError``.
    func claim(
        _ claim: DatabaseClaim, path: String, of layout: InstanceLayout, isElsewhere: Bool, _ surroundings: Surroundings
    ) throws {
        if claim == .none { return }
        let known = isElsewhere && claim == .own ? nil : try self.owner()
        try self.claim(for: InstanceIdentifier.ofInstance(layout, or: known, surroundings), path: path)
    }
}

import CertificateAuthority
import Foundation
import PKIMessages
import Synchronization
import Yams

/// The directory of requesters that an instance has in a file, `directory.yaml`: for each name what templates build
/// subjects of. A change counts from the next request on.
final class DirectoryFile: RequesterDirectory {
    private struct Stamp: Equatable {
        var modified: Date
        var bytes: Int
    }

    private let path: String
    private let cache = Mutex<(stamp: Stamp, entries: [String: RequesterEntry])?>(nil)

    init(path: String) {
        self.path = path
    }

    /// - Throws: ``ServiceError`` for a file that cannot be read.
    func entry(for name: String) async throws -> RequesterEntry? {
        guard FilePaths.exists(self.path) else { return nil }
        let stamp = try self.stamp()
        if let cached = self.cache.withLock({ $0 }), cached.stamp == stamp { return cached.entries[name.lowercased()] }
        let entries = try self.read()
        self.cache.withLock { $0 = (stamp, entries) }
        return entries[name.lowercased()]
    }

    private func stamp() throws -> Stamp {
        do {
            let attributes = try FileManager.default.attributesOfItem(atPath: self.path)
            return Stamp(
                modified: attributes[.modificationDate] as? Date ?? .distantPast,
                bytes: attributes[.size] as? Int ?? 0)
        } catch {
            throw ServiceError.unreadable(self.path, error.localizedDescription)
        }
    }

    private func read() throws -> [String: RequesterEntry] {
        // Some ten thousand requesters.
        let text = try FilePaths.read(self.path, limit: 16 << 20)
        let found: [String: Entry]
        do { found = try YAMLDecoder().decode([String: Entry].self, from: Data(text)) } catch {
            throw ServiceError.invalid(self.path, "(directory)", TemplateFiles.reason(error))
        }
        return Dictionary(found.map { ($0.lowercased(), $1.entry) }) { first, _ in first }
    }

    private struct Entry: Decodable {
        let entry: RequesterEntry

        private enum CodingKeys: String, CodingKey, CaseIterable {
            case commonName, email, dnsName, userPrincipalName, servicePrincipalNames, objectGUID, distinguishedName
            case domainDNSName
        }

        init(from decoder: any Decoder) throws {
            try decoder.refuseUnknownKeys(CodingKeys.allCases)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            let identifier = try values.decodeIfPresent(String.self, forKey: .objectGUID)
            let bytes = identifier.flatMap { Hexadecimal.bytes($0) }
            guard identifier == nil || bytes?.count == 16 else {
                throw DecodingError.dataCorruptedError(
                    forKey: .objectGUID, in: values, debugDescription: "it is not 32 hexadecimal digits")
            }
            self.entry = RequesterEntry(
                commonName: try values.decodeIfPresent(String.self, forKey: .commonName),
                email: try values.decodeIfPresent(String.self, forKey: .email),
                dnsName: try values.decodeIfPresent(String.self, forKey: .dnsName),
                userPrincipalName: try values.decodeIfPresent(String.self, forKey: .userPrincipalName),
                servicePrincipalNames: try values.decodeIfPresent([String].self, forKey: .servicePrincipalNames) ?? [],
                objectGUID: bytes,
                distinguishedName: try values.decodeIfPresent(String.self, forKey: .distinguishedName),
                domainDNSName: try values.decodeIfPresent(String.self, forKey: .domainDNSName))
        }
    }
}

package import CertificateAuthority
import Foundation
import Glibc

extension Instance {
    /// Whoever runs a local command on the instance, named in the audit trail by host and account.
    ///
    /// Which roles they have: see `StorageReading.principal(of:)`.
    package func localOperator() async throws -> Principal {
        let account = try SystemAccount.current(instance: self.directory)
        return try await self.storage.read { try $0.principal(of: account) }
    }
}

extension SystemAccount {
    /// The account under which this process runs, with the groups that the process has.
    ///
    /// - Throws: ``ServiceError`` when the instance's directory cannot be looked at.
    static func current(instance directory: String) throws -> SystemAccount {
        let account = geteuid()
        let attributes: [FileAttributeKey: Any]
        do { attributes = try FileManager.default.attributesOfItem(atPath: directory) } catch {
            throw ServiceError.unreadable(directory, error.localizedDescription)
        }
        let owner = (attributes[.ownerAccountID] as? NSNumber)?.uint32Value
        return SystemAccount(
            host: SystemAccount.hostName,
            name: getpwuid(account).map { String(cString: $0.pointee.pw_name) } ?? "uid-\(account)",
            groups: SystemAccount.processGroups(), ownsInstance: account == 0 || owner == account)
    }

    static var hostName: String {
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, host.count - 1)
        return String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static func processGroups() -> Set<String> {
        var identifiers = [gid_t](repeating: 0, count: Int(max(0, getgroups(0, nil))))
        let count = getgroups(Int32(identifiers.count), &identifiers)
        identifiers = Array(identifiers.prefix(Int(max(0, count)))) + [getegid()]
        return Set(
            identifiers.map { group in getgrgid(group).map { String(cString: $0.pointee.gr_name) } ?? "gid-\(group)" })
    }
}

extension Principal {
    /// Whoever makes an instance: its owner.
    static func founder(of directory: String) throws -> Principal {
        let account = try SystemAccount.current(instance: directory)
        return Principal(name: account.principalName, roles: Set(Role.allCases), isInstanceOwner: true)
    }
}

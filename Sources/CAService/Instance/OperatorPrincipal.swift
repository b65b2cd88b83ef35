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
        return SystemAccount(
            host: SystemAccount.hostName,
            name: getpwuid(account).map { String(cString: $0.pointee.pw_name) } ?? "uid-\(account)",
            groups: SystemAccount.processGroups(), ownsInstance: try SystemAccount.owns(account, directory))
    }

    /// An account by its name in the audit trail, with the groups that the machine's lists give it now.
    ///
    /// - Returns: `nil` when the name is of another host, or there is no such account.
    static func named(_ principalName: String, instance directory: String) throws -> SystemAccount? {
        let prefix = SystemAccount.hostName + "\\"
        guard principalName.lowercased().hasPrefix(prefix.lowercased()) else { return nil }
        let name = String(principalName.dropFirst(prefix.count))
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 1 << 16)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return SystemAccount(
            host: SystemAccount.hostName, name: name,
            groups: SystemAccount.listedGroups(of: name, primary: entry.pw_gid),
            ownsInstance: try SystemAccount.owns(entry.pw_uid, directory))
    }

    private static func owns(_ account: uid_t, _ directory: String) throws -> Bool {
        let attributes: [FileAttributeKey: Any]
        do { attributes = try FileManager.default.attributesOfItem(atPath: directory) } catch {
            throw ServiceError.unreadable(directory, error.localizedDescription)
        }
        return account == 0 || (attributes[.ownerAccountID] as? NSNumber)?.uint32Value == account
    }

    private static func listedGroups(of name: String, primary: gid_t) -> Set<String> {
        var count: Int32 = 64
        var identifiers = [gid_t](repeating: 0, count: Int(count))
        if getgrouplist(name, primary, &identifiers, &count) < 0 {
            // It has told how many there are.
            identifiers = [gid_t](repeating: 0, count: Int(max(0, count)))
            guard getgrouplist(name, primary, &identifiers, &count) >= 0 else { return [] }
        }
        return SystemAccount.names(of: identifiers.prefix(Int(max(0, count))))
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
        return SystemAccount.names(of: identifiers[...])
    }

    private static func names(of groups: ArraySlice<gid_t>) -> Set<String> {
        Set(groups.map { group in getgrgid(group).map { String(cString: $0.pointee.gr_name) } ?? "gid-\(group)" })
    }
}

extension SystemAccounts {
    /// The accounts of the machine on which this process runs.
    static func ofThisMachine(instance directory: String) -> SystemAccounts {
        SystemAccounts { try SystemAccount.named($0, instance: directory) }
    }
}

extension Principal {
    /// Whoever makes an instance: its owner.
    static func founder(of directory: String) throws -> Principal {
        let account = try SystemAccount.current(instance: directory)
        return Principal(name: account.principalName, roles: Set(Role.allCases), isInstanceOwner: true)
    }
}

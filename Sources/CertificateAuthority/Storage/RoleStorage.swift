/// What can be read about users, groups and roles. Part of ``StorageReading``. All methods throw `StorageError`.
package protocol RoleStorageReading {
    func groups() throws -> [GroupRecord]
    func group(named name: String) throws -> GroupRecord?
    /// The groups that have this member, without their other members.
    func groups(of member: String) throws -> [GroupRecord]
    func identityMappings() throws -> [IdentityMapping]
    func identityMapping(_ source: IdentityMapping.Source, named name: String) throws -> IdentityMapping?
    /// True when an account or group of the machine has been given roles.
    func hasSystemMappings() throws -> Bool
    /// Of one manager, or of all.
    func managerRestrictions(of manager: String?) throws -> [ManagerRestriction]
    /// Another number after every change of users, groups and role separation, by whichever process.
    func principalVersion() throws -> Int64
}

/// What can be written about users, groups and roles. Part of ``StorageWriting``.
package protocol RoleStorageWriting: RoleStorageReading {
    /// - Returns: false when there was none of that name.
    func removeUser(named name: String) throws -> Bool
    func upsert(_ group: GroupRecord) throws
    func removeGroup(named name: String) throws -> Bool
    func upsert(_ mapping: IdentityMapping) throws
    func removeIdentityMapping(_ source: IdentityMapping.Source, named name: String) throws -> Bool
    func insert(_ restriction: ManagerRestriction) throws
    /// - Returns: how many were removed.
    func removeManagerRestrictions(of manager: String) throws -> Int
}

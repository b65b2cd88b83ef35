extension StorageReading {
    /// Whether a certificate manager may deal with this requester's requests and certificates for that template.
    ///
    /// A manager without restrictions may deal with all. One with restrictions needs one that allows and none that
    /// denies, as with the access control list of Certificate Services.
    ///
    /// - Throws: ``RequestError`` with code `restrictedManager` (0x80094009).
    package func mustManage(
        _ manager: Principal, requester: String, template: String?, to operation: String
    ) throws {
        guard try self.mayManage(manager, requester: requester, template: template) else {
            throw RequestError.restrictedManager(manager, requester: requester, operation: operation)
        }
    }

    func mayManage(_ manager: Principal, requester: String, template: String?) throws -> Bool {
        let restrictions = try self.managerRestrictions(of: manager.name)
        guard !restrictions.isEmpty else { return true }
        let groups = Set(try self.groups(of: requester).map(\.name))
        let covering = restrictions.filter { $0.covers(groups: groups, template: template) }
        return covering.contains { $0.effect == .allow } && !covering.contains { $0.effect == .deny }
    }

    package func mustManage(_ manager: Principal, _ row: RequestRecord, to operation: String) throws {
        try self.mustManage(
            manager, requester: row.requesterName, template: row.templateName, to: operation)
    }
}

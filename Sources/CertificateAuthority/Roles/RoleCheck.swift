extension Principal {
    /// - Throws: ``RequestError`` with code `accessDenied` (0x80070005) when the caller has none of the roles.
    package func mustHave(_ roles: Role..., to operation: String) throws {
        guard roles.contains(where: self.roles.contains) else {
            throw RequestError.accessDenied(self, needs: roles, operation: operation)
        }
    }

    /// Those who may hand in requests: enrollees, and administrators for the CAs and agents they set up.
    var mayEnroll: Bool { self.roles.contains(.enrollee) || self.roles.contains(.administrator) }

    /// Those who may see what became of other people's requests.
    var mayReadAllRequests: Bool {
        !self.roles.isDisjoint(with: [.administrator, .certificateManager, .auditor, .reader])
    }

    /// The name without its domain, as it stands in a subject.
    var accountName: String {
        self.name.split(separator: "\\").last.map(String.init) ?? self.name
    }
}

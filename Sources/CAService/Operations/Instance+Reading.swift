package import CertificateAuthority
package import PKIMessages

/// What the database holds, for those whom the table of roles lets see it.
///
/// Every caller comes through here, whatever front it has: command line, service or embedding program.
extension Instance {
    /// The certificate that a request was answered with: for the requester, for who handed it in, and for readers.
    ///
    /// - Throws: ``ServiceError`` with code `notIssued`; `RequestError` with code `accessDenied`.
    package func issuedCertificate(
        ofRequest requestID: Int64, for who: Principal
    ) async throws -> CertificateFields {
        let (request, certificate) = try await self.storage.read {
            (try $0.request(requestID), try $0.certificate(forRequest: requestID))
        }
        if request?.requesterName != who.name, request?.callerName != who.name {
            try who.mustBeAllowed(.readRequests, to: "read the certificate of request \(requestID)")
        }
        guard let certificate else { throw ServiceError.notIssued(requestID) }
        return try CertificateFields(derEncoded: certificate.certificateDER)
    }

    /// Replacements of certificates whose keys were lost, newest first.
    package func replacements(limit: Int, for who: Principal) async throws -> [ReplacementStatus] {
        try who.mustBeAllowed(.readRequests, to: "list replacements")
        return try await self.storage.read { db in
            try db.replacementCases(limit: limit).map { try db.status(of: $0) }
        }
    }

    /// - Throws: `RequestError`: `unknownCase`, `accessDenied`.
    package func replacement(_ caseID: Int64, for who: Principal) async throws -> ReplacementStatus {
        try who.mustBeAllowed(.readRequests, to: "show replacement \(caseID)")
        return try await self.storage.read { try $0.status(ofCase: caseID) }
    }

    /// The CRLs that were signed, newest first.
    package func crls(limit: Int, for who: Principal) async throws -> [CRLRecord] {
        try who.mustBeAllowed(.readConfiguration, to: "list CRLs")
        return try await self.storage.read { try $0.crls(limit: limit) }
    }
}

/// Who has which role in an instance.
package struct RoleAssignments: Sendable {
    package let users: [UserRecord]
    package let groups: [GroupRecord]
    package let identities: [IdentityMapping]
    package let isSeparationEnforced: Bool

    /// Names of the groups that a user is a member of.
    package func groups(of user: UserRecord) -> [String] {
        self.groups.filter { group in group.members.contains { $0.lowercased() == user.name.lowercased() } }.map(\.name)
    }
}

extension Instance {
    /// Users, groups, certificates and accounts with their roles.
    package func roleAssignments(for who: Principal) async throws -> RoleAssignments {
        try who.mustBeAllowed(.readPermissions, to: "list who has which role")
        return try await self.storage.read { db in
            RoleAssignments(
                users: try db.users(), groups: try db.groups(), identities: try db.identityMappings(),
                isSeparationEnforced: try db.isRoleSeparationEnforced())
        }
    }

    /// What certificate managers are restricted to.
    package func managerRestrictions(for who: Principal) async throws -> [ManagerRestriction] {
        try who.mustBeAllowed(.readPermissions, to: "list restrictions")
        return try await self.storage.read { try $0.managerRestrictions(of: nil) }
    }
}

extension Instance {
    /// The templates of the instance, and the names of those that the CA issues from.
    package func templateList(
        for who: Principal
    ) throws -> (templates: [CertificateTemplate], enabled: [String]) {
        try who.mustBeAllowed(.readConfiguration, to: "list templates")
        return (self.templates, try self.enabledTemplateNames())
    }

    /// - Throws: `PolicyError` with 0x80094813 when there is none of that name; `RequestError` with code `accessDenied`.
    package func template(named name: String, for who: Principal) throws -> CertificateTemplate {
        try who.mustBeAllowed(.readConfiguration, to: "show template \(name)")
        return try self.template(named: name)
    }

    /// How a token of the instance is reached, for somebody who wants to look at it or to try it.
    ///
    /// - Throws: ``ServiceError`` with code `unknownToken`; `RequestError` with code `accessDenied`.
    package func tokenConfiguration(
        named name: String, for who: Principal, to operation: CAOperation
    ) throws -> TokenConfiguration {
        try who.mustBeAllowed(operation, to: "use the token \(name) of the instance")
        guard let configuration = self.configuration.tokens[name] else { throw ServiceError.unknownToken(name) }
        return configuration
    }
}

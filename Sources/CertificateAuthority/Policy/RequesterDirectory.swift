/// What a directory knows of a requester: the parts of which templates build names.
package struct RequesterEntry: Sendable, Equatable {
    package var commonName: String?
    package var email: String?
    package var dnsName: String?
    package var userPrincipalName: String?
    package var servicePrincipalNames: [String]
    /// 16 bytes, in the order in which a certificate has them.
    package var objectGUID: [UInt8]?
    /// RFC 4514 text.
    package var distinguishedName: String?
    /// The DNS name of the requester's domain.
    package var domainDNSName: String?

    package init(
        commonName: String? = nil, email: String? = nil, dnsName: String? = nil, userPrincipalName: String? = nil,
        servicePrincipalNames: [String] = [], objectGUID: [UInt8]? = nil, distinguishedName: String? = nil,
        domainDNSName: String? = nil
    ) {
        self.commonName = commonName
        self.email = email
        self.dnsName = dnsName
        self.userPrincipalName = userPrincipalName
        self.servicePrincipalNames = servicePrincipalNames
        self.objectGUID = objectGUID
        self.distinguishedName = distinguishedName
        self.domainDNSName = domainDNSName
    }
}

/// Where the names of requesters come from. No directory server is needed: an instance's file is one.
package protocol RequesterDirectory: Sendable {
    /// - Parameter name: the principal's name; compared without regard to case.
    /// - Returns: `nil` for somebody whom the directory does not know.
    func entry(for name: String) async throws -> RequesterEntry?
}

/// Knows nobody: names can then be built only from the account name and the configured suffix.
package struct NoDirectory: RequesterDirectory {
    package init() {}

    package func entry(for name: String) async throws -> RequesterEntry? { nil }
}

extension CertificateTemplate {
    /// True when a name is to be built of what only the directory knows; others are not looked up.
    var needsDirectory: Bool {
        if case .built(let parts) = self.subject, !parts.isEmpty { return true }
        return self.subjectAlternativeName.parts.contains { $0 != .fromRequest }
    }
}

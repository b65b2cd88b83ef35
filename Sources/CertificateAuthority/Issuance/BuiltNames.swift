import PKIMessages
import SwiftASN1
import X509

/// Names built of what the directory and authentication say of a requester.
struct BuiltNames {
    private let requester: Principal
    private let entry: RequesterEntry
    private let suffix: String?

    init(_ sources: CertificateSubject.Sources) {
        self.requester = sources.requester
        self.entry = sources.entry ?? RequesterEntry()
        self.suffix = sources.userPrincipalNameSuffix
    }

    /// The directory's name first, then common name and mail address, so that the mail address is the most specific.
    func distinguishedName(of parts: [SubjectRule.Part]) throws -> DistinguishedName {
        var names: [RelativeDistinguishedName] = []
        if parts.contains(.directoryPath) {
            guard let path = self.entry.distinguishedName else {
                throw PolicyError.directoryNameUnavailable(self.requester)
            }
            names = Array(try DistinguishedNameText.parse(path))
        } else if parts.contains(.dnsName) {
            names = [try self.commonName(self.dnsName())]
        } else if parts.contains(.commonName) {
            names = [try self.commonName(self.entry.commonName ?? self.requester.accountName)]
        }
        if parts.contains(.email) {
            let address = try self.email()
            names.append(
                RelativeDistinguishedName(try .init(type: .RDNAttributeType.emailAddress, ia5String: address)))
        }
        return DistinguishedName(names)
    }

    func alternativeNames(of part: AlternativeNameRule.Part) throws -> [GeneralName] {
        switch part {
        case .fromRequest: return []
        case .userPrincipalName: return [try .userPrincipalName(self.userPrincipalName())]
        case .email: return [.rfc822Name(try self.email())]
        case .dnsName: return [.dnsName(try self.dnsName())]
        case .servicePrincipalName:
            guard !self.entry.servicePrincipalNames.isEmpty else {
                throw PolicyError.servicePrincipalNameUnavailable(self.requester)
            }
            return try self.entry.servicePrincipalNames.map { try .userPrincipalName($0) }
        case .directoryGUID:
            guard let identifier = self.entry.objectGUID else {
                throw PolicyError.directoryGUIDUnavailable(self.requester)
            }
            return [try .directoryGUID(identifier)]
        case .domainDNSName:
            guard let name = self.entry.domainDNSName else { throw PolicyError.dnsNameUnavailable(self.requester) }
            return [.dnsName(name)]
        }
    }

    private func commonName(_ text: String) throws -> RelativeDistinguishedName {
        RelativeDistinguishedName(.init(type: .RDNAttributeType.commonName, utf8String: text))
    }

    private func userPrincipalName() throws -> String {
        if let name = self.entry.userPrincipalName { return name }
        guard let suffix = self.suffix else { throw PolicyError.userPrincipalNameUnavailable(self.requester) }
        return "\(self.requester.accountName)@\(suffix)"
    }

    private func email() throws -> String {
        guard let address = self.entry.email else { throw PolicyError.emailUnavailable(self.requester) }
        return address
    }

    private func dnsName() throws -> String {
        guard let name = self.entry.dnsName else { throw PolicyError.dnsNameUnavailable(self.requester) }
        return name
    }
}

extension GeneralName {
    /// The identifier of an object in the directory (szOID_NTDS_REPLICATION): an OCTET STRING of 16 bytes.
    static func directoryGUID(_ identifier: [UInt8]) throws -> GeneralName {
        .otherName(
            .init(
                typeID: [1, 3, 6, 1, 4, 1, 311, 25, 1],
                value: try ASN1Any(erasing: ASN1OctetString(contentBytes: identifier[...]))))
    }
}

/// Where a certificate's subject comes from (MS-CRTD, `msPKI-Certificate-Name-Flag`).
package enum SubjectRule: Sendable, Equatable {
    /// A part that is taken from the requester's directory entry.
    package enum Part: String, Sendable, Codable, CaseIterable {
        /// CT_FLAG_SUBJECT_REQUIRE_COMMON_NAME
        case commonName = "common-name"
        /// CT_FLAG_SUBJECT_REQUIRE_EMAIL
        case email
        /// CT_FLAG_SUBJECT_REQUIRE_DNS_AS_CN
        case dnsName = "dns-name"
        /// CT_FLAG_SUBJECT_REQUIRE_DIRECTORY_PATH: the whole distinguished name.
        case directoryPath = "directory-path"
    }

    /// As the request has it (CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT).
    case fromRequest
    /// Built from the authenticated requester; what the request says is ignored. Nothing at all for an empty list.
    case built([Part])

    package static let fromRequester = SubjectRule.built([.commonName])
}

extension SubjectRule: Codable {
    /// `from-request`, `from-requester` (the common name), `none`, or a list of parts.
    package init(from decoder: any Decoder) throws {
        // `try?`: what is no text is a list, or the list's error is the one to tell.
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            switch text {
            case "from-request": self = .fromRequest
            case "from-requester": self = .fromRequester
            case "none": self = .built([])
            default:
                throw DecodingError.dataCorrupted(
                    .init(
                        codingPath: decoder.codingPath,
                        debugDescription: "\"\(text)\" is no subject: write from-request, from-requester, none, or a "
                            + "list of common-name, email, dns-name and directory-path"))
            }
            return
        }
        self = .built(try decoder.singleValueContainer().decode([Part].self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .fromRequest: try container.encode("from-request")
        case .fromRequester: try container.encode("from-requester")
        case .built([]): try container.encode("none")
        case .built(let parts): try container.encode(parts)
        }
    }
}

/// Where the subject alternative names come from (MS-CRTD, `msPKI-Certificate-Name-Flag`).
package struct AlternativeNameRule: Sendable, Equatable {
    package enum Part: String, Sendable, Codable, CaseIterable {
        /// DNS names, addresses, mail addresses and URIs of the request (CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT_ALT_NAME).
        case fromRequest = "from-request"
        /// The requester's user principal name (CT_FLAG_SUBJECT_ALT_REQUIRE_UPN).
        case userPrincipalName = "user-principal-name"
        case email
        case dnsName = "dns-name"
        /// Each service principal name, as a principal name (CT_FLAG_SUBJECT_ALT_REQUIRE_SPN).
        case servicePrincipalName = "service-principal-name"
        /// 1.3.6.1.4.1.311.25.1 (CT_FLAG_SUBJECT_ALT_REQUIRE_DIRECTORY_GUID).
        case directoryGUID = "directory-guid"
        /// The name of the requester's domain (CT_FLAG_SUBJECT_ALT_REQUIRE_DOMAIN_DNS).
        case domainDNSName = "domain-dns-name"
    }

    package var parts: [Part]

    package init(_ parts: [Part]) {
        self.parts = parts
    }

    package static let none = AlternativeNameRule([])
    package static let fromRequest = AlternativeNameRule([.fromRequest])
    package static let userPrincipalName = AlternativeNameRule([.userPrincipalName])

    package func contains(_ part: Part) -> Bool { self.parts.contains(part) }
}

extension AlternativeNameRule: Codable {
    /// `none`, one part, or a list of parts.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // `try?`: what is no text is a list, or the list's error is the one to tell.
        if let text = try? container.decode(String.self) {
            self.parts = text == "none" ? [] : [try container.decode(Part.self)]
        } else {
            self.parts = try container.decode([Part].self)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self.parts.count {
        case 0: try container.encode("none")
        case 1: try container.encode(self.parts[0])
        default: try container.encode(self.parts)
        }
    }
}

extension CertificateTemplate: Decodable {
    /// Settings of files that were written before there were ``permissions`` and ``criticalExtensions``.
    private enum FormerKeys: String, CodingKey, CaseIterable {
        /// Became ``permissions``.
        case enrollableBy
        /// Became an entry of ``criticalExtensions``.
        case keyUsageCritical
    }

    /// Unknown settings are refused, those left out have their defaults, and former ones are translated.
    package init(from decoder: any Decoder) throws {
        let known = CodingKeys.allCases.map(SettingKey.init) + FormerKeys.allCases.map(SettingKey.init)
        try decoder.refuseUnknownKeys(known)
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func value<T: Decodable>(_ key: CodingKeys, _ missing: T) throws -> T {
            try values.decodeIfPresent(T.self, forKey: key) ?? missing
        }
        self.init(
            name: try values.decode(String.self, forKey: .name),
            displayName: try values.decode(String.self, forKey: .displayName),
            oid: try values.decode(String.self, forKey: .oid), schemaVersion: try value(.schemaVersion, 2),
            majorVersion: try value(.majorVersion, 100), minorVersion: try value(.minorVersion, 0),
            validity: try values.decode(TemplatePeriod.self, forKey: .validity),
            overlap: try value(.overlap, .weeks(6)), supersedes: try value(.supersedes, []),
            subject: try values.decode(SubjectRule.self, forKey: .subject),
            subjectAlternativeName: try value(.subjectAlternativeName, .none),
            renewalKeepsNames: try value(.renewalKeepsNames, false), keyAlgorithms: try value(.keyAlgorithms, []),
            minimumKeyBits: try value(.minimumKeyBits, MinimumKeyBits()),
            hashAlgorithms: try value(.hashAlgorithms, []),
            keyUsage: try values.decode([KeyUsageBit].self, forKey: .keyUsage),
            extendedKeyUsages: try value(.extendedKeyUsages, []),
            applicationPolicies: try values.decodeIfPresent([ExtendedKeyPurpose].self, forKey: .applicationPolicies),
            issuancePolicies: try value(.issuancePolicies, []),
            criticalExtensions: try CertificateTemplate.criticalExtensions(decoder),
            certificationAuthority: try values.decodeIfPresent(
                CertificationAuthorityConstraints.self, forKey: .certificationAuthority),
            crossCertification: try value(.crossCertification, false),
            smimeCapabilities: try value(.smimeCapabilities, false),
            addsTemplateName: try value(.addsTemplateName, false), machine: try value(.machine, false),
            pendAll: try value(.pendAll, false), previousApprovalSuffices: try value(.previousApprovalSuffices, false),
            requiredSignatures: try value(.requiredSignatures, RequiredSignatures()),
            onBehalfOf: try value(.onBehalfOf, false), sameKeyRenewal: try value(.sameKeyRenewal, false),
            archival: try value(.archival, .none), autoenrollment: try value(.autoenrollment, false),
            publication: try value(.publication, DirectoryPublication()),
            client: try value(.client, ClientSettings()),
            permissions: try CertificateTemplate.permissions(decoder))
        try self.checkRanges(decoder)
    }

    private static func criticalExtensions(_ decoder: any Decoder) throws -> [CertificateExtensionName] {
        let former = try decoder.container(keyedBy: FormerKeys.self)
        let values = try decoder.container(keyedBy: CodingKeys.self)
        guard let isCritical = try former.decodeIfPresent(Bool.self, forKey: .keyUsageCritical) else {
            return try values.decodeIfPresent([CertificateExtensionName].self, forKey: .criticalExtensions)
                ?? [.keyUsage]
        }
        guard !values.contains(.criticalExtensions) else {
            throw DecodingError.dataCorruptedError(
                forKey: .keyUsageCritical, in: former, debugDescription: "criticalExtensions says it already")
        }
        return isCritical ? [.keyUsage] : []
    }

    private static func permissions(_ decoder: any Decoder) throws -> [TemplatePermission] {
        let former = try decoder.container(keyedBy: FormerKeys.self)
        let values = try decoder.container(keyedBy: CodingKeys.self)
        guard let names = try former.decodeIfPresent([String].self, forKey: .enrollableBy) else {
            return try values.decode([TemplatePermission].self, forKey: .permissions)
        }
        guard !values.contains(.permissions) else {
            throw DecodingError.dataCorruptedError(
                forKey: .enrollableBy, in: former, debugDescription: "permissions says it already")
        }
        return TemplatePermission.enrolment(names)
    }

    private func checkRanges(_ decoder: any Decoder) throws {
        func require(_ holds: Bool, _ reason: String) throws {
            guard holds else {
                throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: reason))
            }
        }
        let signatures = self.requiredSignatures
        try require((1...4).contains(self.schemaVersion), "schemaVersion is not a number from 1 to 4")
        try require(self.majorVersion >= 0 && self.minorVersion >= 0, "a version is negative")
        try require((0...16).contains(signatures.count), "requiredSignatures.count is not a number from 0 to 16")
        try require((certificationAuthority?.pathLength ?? 0) >= 0, "certificationAuthority.pathLength is negative")
        for policy in self.issuancePolicies.map(\.oid) + signatures.issuancePolicies {
            try require(ObjectIdentifierText.parse(policy) != nil, "\"\(policy)\" is no object identifier")
        }
        // RFC 5280, section 4.2.1.4: explicitText has at most 200 characters.
        try require(
            self.issuancePolicies.allSatisfy { ($0.notice ?? "x").count <= 200 && !($0.notice ?? "x").isEmpty },
            "a notice is empty or has more than 200 characters")
        let names = [self.name, self.displayName] + self.supersedes
        try require(
            names.allSatisfy { !$0.isEmpty && $0.count <= 256 && !$0.contains("/") }, "a name is empty or too long")
    }
}

private struct SettingKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ key: some CodingKey) {
        self.stringValue = key.stringValue
    }

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) {
        nil
    }
}

internal import DeviceProfiles

/// Reads the field `tokens` of a configuration.
struct TokenRules {
    let catalog: ProfileCatalog
    let paths: RelativePaths

    /// - Throws: `ProfileError` when a profile does not exist or an override of it is wrong.
    func read(_ field: DocumentField?) throws -> [SimulatorConfiguration.TokenRule] {
        guard let sections = field?.list({ $0.section() }) else { return [] }
        var rules: [SimulatorConfiguration.TokenRule] = []
        for section in sections {
            if let rule = try self.rule(section) { rules.append(rule) }
        }
        return rules
    }

    private func rule(_ section: DocumentSection) throws -> SimulatorConfiguration.TokenRule? {
        section.allow(["label", "profile", "override", "deny", "latency", "handles", "stale_handles"])
        let label = section.required("label")?.pattern()
        let overrides = section.field("override")?.section()?.yamlTexts() ?? [:]
        var profile = DeviceProfile(name: "none", summary: "The module inside as it is")
        if let field = section.field("profile") {
            guard let name = field.text() else { return nil }
            profile = try self.profile(name, overrides: overrides)
            for unknown in TokenRules.missing(in: profile.capacity) {
                section.report(
                    "profile", "\(profile.name) does not know \(unknown), so it cannot be simulated; set it in override"
                )
            }
        } else if !overrides.isEmpty {
            section.report("override", "needs a profile")
        }
        self.checkNames(in: profile, section)
        let denied = section.field("deny")?.list { $0.mechanism() } ?? []
        let hasLatency = section.field("latency")?.boolean() ?? false
        let numbering: ObjectTable.Numbering? = section.field("handles")?.choice()
        let stale: SimulatorConfiguration.StaleHandles? = section.field("stale_handles")?.choice()
        guard let label else { return nil }
        return SimulatorConfiguration.TokenRule(
            label: label, profile: profile,
            mechanisms: MechanismRules(profile.mechanisms, denied: Set(denied)),
            template: AttributeRules(profile.template, login: profile.login), hasLatency: hasLatency,
            numbering: numbering ?? .same,
            staleHandles: stale ?? .invalid)
    }

    /// Reports names of the profile that have no number: a rule about them could not be kept.
    private func checkNames(in profile: DeviceProfile, _ section: DocumentSection) {
        let rules = profile.template
        for name in (rules.refuse.value ?? []) + (rules.ignore.value ?? [])
        where SpecificationNames.attributes[name] == nil {
            section.report("profile", "\(profile.name) names CKA_\(name), which the specification does not have")
        }
        for text in rules.require.value ?? [] where AttributeRules.Requirement(text) == nil {
            section.report("profile", "\(profile.name) requires \"\(text)\", which is not CLASS.ATTRIBUTE=VALUE")
        }
    }

    /// A name of the catalogue, or the path of a file.
    private func profile(_ name: String, overrides: [String: String]) throws -> DeviceProfile {
        guard name.contains("/") || name.hasSuffix(".yaml") else {
            return try self.catalog.profile(named: name, overrides: overrides)
        }
        return try DeviceProfile(contentsOf: self.paths.resolve(name), overrides: overrides)
    }

    /// The values without which the profile's own limits cannot be imposed.
    static func missing(in capacity: DeviceProfile.Capacity) -> [String] {
        typealias Capacity = DeviceProfile.Capacity
        var missing: [String] = []
        switch capacity.bytes.value {
        case nil: missing.append("capacity.bytes")
        case .bytes?:
            if capacity.reserved.value == nil { missing.append("capacity.reserved") }
            for object in Capacity.StoredObject.allCases where capacity.headers[object]?.value == nil {
                missing.append("capacity.header.\(object.rawValue)")
            }
        case .disk?, .partition?, .host?: break
        }
        for directory in Capacity.Directory.allCases {
            if case .atMost? = capacity.directories[directory]?.value, capacity.entries(in: directory) == nil {
                missing.append("capacity.dir_entry.\(directory.rawValue)")
            }
        }
        return missing
    }
}

extension DocumentField {
    /// The number of a mechanism, by its name with or without `CKM_`, or as it is.
    fileprivate func mechanism() -> UInt? {
        guard let text = self.text() else { return nil }
        let name = text.hasPrefix("CKM_") ? String(text.dropFirst(4)) : text
        if let type = SpecificationNames.mechanisms[name] { return type }
        if name.hasPrefix("0x"), let type = UInt(name.dropFirst(2), radix: 16) { return type }
        return self.refuse("there is no mechanism CKM_\(name); write its number if it is the vendor's own")
    }
}

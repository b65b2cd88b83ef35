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
            section.allow(["label", "profile", "override"])
            let label = section.required("label")?.pattern()
            guard let name = section.required("profile")?.text() else { continue }
            let overrides = section.field("override")?.section()?.yamlTexts() ?? [:]
            let profile = try self.profile(name, overrides: overrides)
            for unknown in TokenRules.missing(in: profile.capacity) {
                section.report(
                    "profile", "\(profile.name) does not know \(unknown), so it cannot be simulated; set it in override"
                )
            }
            if let label { rules.append(SimulatorConfiguration.TokenRule(label: label, profile: profile)) }
        }
        return rules
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

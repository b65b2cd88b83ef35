internal import Diagnostics

extension DeviceProfile {
    /// Reads and checks a profile.
    ///
    /// - Parameters:
    ///   - text: the YAML document.
    ///   - file: its name in findings.
    ///   - overrides: values to put in place of those of the file, YAML by dotted path:
    ///     `["capacity.bytes": "4096"]`, `["capacity": "unknown"]`.
    /// - Throws: ``ProfileError`` with all findings.
    public init(yaml text: String, file: String, overrides: [String: String] = [:]) throws(ProfileError) {
        let document = try Document(text: text, file: file)
        try document.override(with: overrides)
        let root = document.root
        let sections = DeviceProfile.sections
        root.allow(
            ["name", "summary", "match"] + sections.map(\.name) + ["vendor_rv"] + ProfileSection.provenanceNames)
        self.init(
            name: root.required("name")?.profileName() ?? "", summary: root.required("summary")?.text() ?? "")
        if let section = root.field("match")?.section() { self.match = MatchRule(reading: section) }
        let profile = ProfileSection(root: root)
        for field in sections { field.read(profile, &self) }
        self.vendorReturnValues = profile.section("vendor_rv").vendorReturnValues()
        try document.finish()
    }

    /// Reads and checks the profile in a file.
    ///
    /// - Throws: ``ProfileError``.
    public init(contentsOf path: String, overrides: [String: String] = [:]) throws(ProfileError) {
        try self.init(yaml: TextFile.read(path), file: path, overrides: overrides)
    }
}

extension DocumentField {
    fileprivate func profileName() -> String? {
        guard let text = self.text() else { return nil }
        let allowed = "abcdefghijklmnopqrstuvwxyz0123456789-"
        guard text.allSatisfy({ allowed.contains($0) }) else {
            return self.refuse("\"\(text)\" has characters other than a-z, 0-9 and -")
        }
        return text
    }
}

extension ProfileSection {
    /// Names of return values by their number, which is one of the vendor's (PKCS #11 v2.40, section 5.1:
    /// `CKR_VENDOR_DEFINED` and above).
    fileprivate func vendorReturnValues() -> [ReturnValue: ProfileValue<String>] {
        var values: [ReturnValue: ProfileValue<String>] = [:]
        for name in self.names where !ProfileSection.provenanceNames.contains(name) {
            let number = name.hasPrefix("0x") ? UInt(name.dropFirst(2), radix: 16) : UInt(name)
            guard let number, number >= 0x8000_0000 else {
                self.report(name, "is not the number of a vendor's return value such as 0x80000001")
                continue
            }
            values[ReturnValue(rawValue: number)] = self.value(name) { $0.returnValueName() }
        }
        return values
    }
}

extension DocumentField {
    /// A name with its prefix `CKR_`.
    fileprivate func returnValueName() -> String? {
        guard let text = self.text() else { return nil }
        guard text.hasPrefix("CKR_"), DocumentField.isSpecificationName(text) else {
            return self.refuse("\"\(text)\" is not a name such as CKR_HSM_STORAGE_FULL")
        }
        return text
    }
}

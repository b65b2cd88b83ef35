package import DeviceProfiles
internal import Diagnostics
internal import PKCS11

/// Measurements as fields of a device profile.
struct MeasuredProfile {
    let measured: Measurements
    let info: TokenInfo
    let mechanisms: [MechanismType]

    init(_ measured: Measurements, info: TokenInfo, mechanisms: [MechanismType]) {
        self.measured = measured
        self.info = info
        self.mechanisms = mechanisms
    }

    /// In the order of the profile's documentation.
    func values(comparedWith profile: DeviceProfile?) -> [MeasuredValue] {
        let known = profile.map { Dictionary($0.fields.map { ($0.path, $0.text) }) { first, _ in first } }
        return self.fields(knowing: profile).map {
            MeasuredValue(path: $0.path, text: $0.text, profile: known?[$0.path] ?? (known == nil ? nil : "unknown"))
        }
    }

    private func fields(knowing profile: DeviceProfile?) -> [(path: String, text: String)] {
        self.tokenInfo + self.capacityFields + self.oaepField(knowing: profile) + self.mechanismFields
            + self.templateFields + self.latencyFields
    }

    private var tokenInfo: [(path: String, text: String)] {
        var fields = [
            (path: "sessions.reported", text: self.info.maximumSessions.map { String(Int(bitPattern: $0)) } ?? "-1"),
            ("login.pin_min", String(self.info.minimumPINLength)),
            ("login.pin_max", String(self.info.maximumPINLength)),
        ]
        if let sessions = self.measured.sessions, let refusal = sessions.refusal {
            fields.append(("sessions.max", String(sessions.count)))
            if let name = refusal.name { fields.append(("sessions.over_rv", String(name.dropFirst(4)))) }
        }
        return fields
    }

    private var capacityFields: [(path: String, text: String)] {
        var fields = self.measured.pairCosts.map { (path: "capacity.cost.\($0)", text: String($1)) }
            .sorted { $0.path < $1.path }
        if let header = self.measured.certificateHeader {
            fields.append(("capacity.header.certificate", String(header)))
        }
        let memory = [
            self.info.totalPublicMemory, self.info.freePublicMemory, self.info.totalPrivateMemory,
            self.info.freePrivateMemory,
        ]
        if memory.allSatisfy({ $0 == nil }) { fields.append(("capacity.mem_reported", "-1")) }
        if self.measured.reportsMemory { fields.append(("capacity.mem_reported", "actual")) }
        return fields
    }

    /// Best first: what the profile has, in its order, and then what it does not have. What was not tried is as it was believed.
    private func oaepField(knowing profile: DeviceProfile?) -> [(path: String, text: String)] {
        guard !self.measured.oaep.isEmpty else { return [] }
        let tried = Dictionary(self.measured.oaep.map { ($0.key.rawValue, $0.value) }) { first, _ in first }
        let believed = (profile?.mechanisms.oaep.value ?? []).map(\.rawValue).filter { tried[$0] ?? true }
        let found = OAEPHash.allCases.map(\.rawValue).filter { tried[$0] == true && !believed.contains($0) }
        return [("mechanisms.oaep", "[" + (believed + found).joined(separator: ", ") + "]")]
    }

    private var mechanismFields: [(path: String, text: String)] {
        var fields: [(path: String, text: String)] = []
        if self.measured.ecdsaWorks == true {
            // CKM_ECDSA_SHA256 (PKCS #11 v2.40, section 2.3): that it is listed has to do.
            let hashed = self.mechanisms.contains(MechanismType(rawValue: 0x1044))
            if !self.mechanisms.isEmpty { fields.append(("mechanisms.ecdsa", hashed ? "both" : "raw")) }
        }
        if let keyWrap = self.measured.keyWrap, let type = keyWrap {
            fields.append(("mechanisms.rfc5649", "0x" + String(type.rawValue, radix: 16)))
        }
        if let makes = self.measured.makesSecretKeys { fields.append(("mechanisms.secret_keygen", String(makes))) }
        return fields
    }

    private var templateFields: [(path: String, text: String)] {
        var fields: [(path: String, text: String)] = []
        if let ignored = self.measured.ignoredAttributes, !ignored.isEmpty {
            fields.append(("template.ignore", "[" + ignored.sorted().joined(separator: ", ") + "]"))
        }
        if let objects = self.measured.sessionObjects { fields.append(("template.session_objects", String(objects))) }
        if let encoding = self.measured.signatureEncoding { fields.append(("template.ecdsa_sig", encoding.rawValue)) }
        if let encoding = self.measured.pointEncoding { fields.append(("template.ec_point", encoding.rawValue)) }
        return fields
    }

    private var latencyFields: [(path: String, text: String)] {
        var times: [(path: String, value: Double?)] = [
            ("latency.open", self.measured.openMilliseconds), ("latency.login", self.measured.loginMilliseconds),
        ]
        times += ["sign_rsa2048", "sign_p256", "sign_p384", "keygen_rsa2048"].map {
            ("latency.\($0)", self.measured.latencies[$0])
        }
        times.append(("latency.p99", self.measured.slowest))
        return times.compactMap { path, value in value.map { (path, MeasuredProfile.rounded($0)) } }
    }

    /// Three significant digits are more than a measurement on a busy machine is worth.
    private static func rounded(_ milliseconds: Double) -> String {
        let scale = milliseconds < 10 ? 100.0 : milliseconds < 100 ? 10.0 : 1.0
        let value = (milliseconds * scale).rounded() / scale
        return value == value.rounded() ? String(Int(value)) : String(value)
    }
}

extension Examination {
    /// A profile with what was measured in place of what was believed.
    ///
    /// - Parameter base: the profile in force, or `nil` for a device that has none; its match rule then names the
    ///   manufacturer, model and firmware of this token.
    /// - Throws: ``ProfileError`` when the values make no valid profile.
    package func writtenProfile(name: String, basedOn base: DeviceProfile?) throws(ProfileError) -> DeviceProfile {
        var overrides: [String: String] = [:]
        for value in self.measured where value.path != "latency.p99" || value.text != "0" {
            overrides[value.path] =
                "{value: \(value.text), evidence: measured, source: \"signet token doctor \(self.when), firmware "
                + "\(self.token.firmware.filter { $0 != "\"" && $0 != "\\" })\"}"
        }
        var start = base ?? DeviceProfile(name: name, summary: "")
        start.name = name
        if base == nil { start.summary = "\(self.token.manufacturer) \(self.token.model), as it was measured" }
        var profile = try DeviceProfile(yaml: start.yamlText, file: name, overrides: overrides)
        if base == nil {
            profile.match.manufacturer = Examination.exactly(self.token.manufacturer)
            profile.match.model = Examination.exactly(self.token.model)
            profile.match.firmware = Examination.exactly(self.token.firmware)
        }
        return profile
    }

    private static func exactly(_ text: String) -> ProfilePattern? {
        let special = Set("\\^$.|?*+()[]{}")
        return ProfilePattern("^" + text.map { special.contains($0) ? "\\\($0)" : String($0) }.joined() + "$")
    }
}

internal import Diagnostics

extension DeviceProfile {
    /// The sections, in the order of `hsm-profiles/README.md`.
    static var sections: [SectionField<DeviceProfile>] {
        [
            SectionField("sessions", \.sessions),
            SectionField("login", \.login),
            SectionField("capacity", \.capacity),
            SectionField("mechanisms", \.mechanisms),
            SectionField("template", \.template),
            SectionField("lifecycle", \.lifecycle),
            SectionField("latency", \.latency),
        ]
    }

    /// Every value of the profile, unknown ones as well, in the order of `hsm-profiles/README.md`.
    public var fields: [ProfileField] {
        var list: [ProfileField] = []
        for field in DeviceProfile.sections { field.append(self, field.name, &list) }
        for (value, name) in self.vendorReturnValues.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            list.append(ProfileField("vendor_rv.0x" + String(value.rawValue, radix: 16), name, .text))
        }
        return list
    }
}

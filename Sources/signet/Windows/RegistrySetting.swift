import CAService
import CertificateAuthority
import Diagnostics

/// A value of the registry key of Certificate Services, and the named setting of the instance that it is here.
struct RegistrySetting: Sendable {
    /// As it stands in the registry, below `ca\`.
    let name: String
    /// `REG_DWORD` or `REG_SZ`.
    let type: String
    let read: @Sendable (Instance) async throws -> RegistryValue
    let write: @Sendable (RegistryValue, Instance, Principal) async throws -> Void
    /// Names of the bits, for values that have some; only mapped ones can be set.
    var bits: [(name: String, bit: UInt32)] = []

    /// - Throws: ``WindowsUsageError`` that names what is not mapped.
    static func named(_ text: String) throws -> RegistrySetting {
        let parts = text.split(separator: "\\").map(String.init)
        guard parts.count == 2, parts[0].lowercased() == "ca" else {
            throw WindowsUsageError(
                "\"\(text)\" is no setting of a CA", advice: "Name it as ca\\NAME; see certutil -getreg.")
        }
        guard let found = self.all.first(where: { $0.name.lowercased() == parts[1].lowercased() }) else {
            throw WindowsUsageError(
                "The registry value \(parts[1]) has no counterpart here",
                advice: "Change signet.yaml itself; docs/configuration.md explains every setting.")
        }
        return found
    }

    static let all: [RegistrySetting] =
        [
            roleSeparation, kraFlags, crlFlags,
            number("KRACertCount", "archival", "recovery-agents") {
                $0.archival.recoveryAgents
            }, number("ClockSkewMinutes", "crl", "clock-skew-minutes") { $0.crl.clockSkewMinutes },
        ]
        + period("ValidityPeriod", "certificates", "maximum-validity-days", .days) {
            $0.certificates.maximumValidityDays
        }
        + period("CRLPeriod", "crl", "period-days", .days) { $0.crl.periodDays }
        + period("CRLDeltaPeriod", "crl", "delta-period-hours", .hours) { $0.crl.deltaPeriodHours ?? 0 }

    private static let roleSeparation = RegistrySetting(name: "RoleSeparationEnabled", type: "REG_DWORD") { instance in
        .number(try await instance.storage.read { try $0.isRoleSeparationEnforced() } ? 1 : 0)
    } write: { value, instance, who in
        try await instance.setRoleSeparation(try value.number() != 0, by: who)
    }

    private static let kraFlags = flags(
        "KRAFlags", [("KRAF_ENABLEFOREIGN", 1, SettingPath("archival", "foreign-certificates"))],
        others: [("KRAF_SAVEBADREQUESTKEY", 2)])

    private static let crlFlags = flags(
        "CRLFlags",
        [
            ("CRLF_PUBLISH_EXPIRED_CERT_CRLS", 0x200, SettingPath("crl", "keep-expired")),
            ("CRLF_USE_XCHG_CERT_TEMPLATE", 0x4000, SettingPath("exchange", "require-template")),
        ],
        others: [
            ("CRLF_DELTA_USE_OLDEST_UNEXPIRED_BASE", 1), ("CRLF_DELETE_EXPIRED_CRLS", 2),
            ("CRLF_CRLNUMBER_CRITICAL", 4), ("CRLF_REVCHECK_IGNORE_OFFLINE", 8),
            ("CRLF_IGNORE_INVALID_POLICIES", 0x10), ("CRLF_REBUILD_MODIFIED_SUBJECT_ONLY", 0x20),
            ("CRLF_SAVE_FAILED_CERTS", 0x40), ("CRLF_IGNORE_UNKNOWN_CMC_ATTRIBUTES", 0x80),
            ("CRLF_IGNORE_CROSS_CERT_TRUST_ERROR", 0x100), ("CRLF_ENFORCE_ENROLLMENT_AGENT", 0x400),
            ("CRLF_DISABLE_RDN_REORDER", 0x800), ("CRLF_DISABLE_ROOT_CROSS_CERTS", 0x1000),
            ("CRLF_LOG_FULL_RESPONSE", 0x2000), ("CRLF_USE_CROSS_CERT_TEMPLATE", 0x8000),
            ("CRLF_ALLOW_REQUEST_ATTRIBUTE_SUBJECT", 0x10000), ("CRLF_REVCHECK_IGNORE_NOREVCHECK", 0x20000),
            ("CRLF_PRESERVE_EXPIRED_CA_CERTS", 0x40000), ("CRLF_PRESERVE_REVOKED_CA_CERTS", 0x80000),
        ])

    private static func number(
        _ name: String, _ section: String, _ key: String, _ get: @escaping @Sendable (InstanceConfiguration) -> Int
    ) -> RegistrySetting {
        RegistrySetting(name: name, type: "REG_DWORD") {
            .number(UInt32(get($0.configuration)))
        } write: {
            try await $1.changeSettings([(SettingPath(section, key), "\(try $0.number())")], by: $2)
        }
    }

    /// Bits of which each mapped one is a setting that is true or false.
    private static func flags(
        _ name: String, _ mapped: [(name: String, bit: UInt32, setting: SettingPath)], others: [(String, UInt32)]
    ) -> RegistrySetting {
        var setting = RegistrySetting(name: name, type: "REG_DWORD") { instance in
            .number(
                try mapped.reduce(0) { try instance.isTrue($1.setting) ? $0 | $1.bit : $0 })
        } write: { value, instance, who in
            let wanted = try value.number()
            let known = mapped.reduce(UInt32(0)) { $0 | $1.bit }
            guard wanted & ~known == 0 else {
                let names = others.filter { $0.1 & wanted != 0 }.map(\.0)
                throw WindowsUsageError(
                    "\(name): there is no setting here for "
                        + (names.isEmpty ? "0x" + String(wanted & ~known, radix: 16) : names.joined(separator: ", ")),
                    advice: Advice("Mapped are \(mapped.map(\.name).joined(separator: ", "))."))
            }
            let changes = try mapped.compactMap { flag -> (SettingPath, String?)? in
                let isOn = wanted & flag.bit != 0
                return try instance.isTrue(flag.setting) == isOn ? nil : (flag.setting, "\(isOn)")
            }
            try await instance.changeSettings(changes, by: who)
        }
        setting.bits = mapped.map { ($0.name, $0.bit) } + others.map { ($0.0, $0.1) }
        return setting
    }

    /// `NAME` has the unit and `NAMEUnits` the number; here both are one setting, a number of days or of hours.
    private static func period(
        _ name: String, _ section: String, _ key: String, _ base: PeriodUnit,
        _ get: @escaping @Sendable (InstanceConfiguration) -> Int
    ) -> [RegistrySetting] {
        let path = SettingPath(section, key)
        @Sendable func change(_ number: Int, _ unit: PeriodUnit, _ instance: Instance, _ who: Principal) async throws {
            let hours = number.multipliedReportingOverflow(by: unit.hours)
            guard !hours.overflow, hours.partialValue % base.hours == 0 else {
                throw WindowsUsageError("\(name): \(number) \(unit.rawValue) is no whole number of \(base.rawValue)")
            }
            try await instance.changeSettings([(path, "\(hours.partialValue / base.hours)")], by: who)
        }
        return [
            RegistrySetting(name: name, type: "REG_SZ") {
                .text(PeriodUnit.split(get($0.configuration), of: base).unit.rawValue)
            } write: { value, instance, who in
                guard let unit = PeriodUnit(named: value.text) else {
                    throw WindowsUsageError("\(name): Years, Months, Weeks, Days or Hours is expected")
                }
                try await change(PeriodUnit.split(get(instance.configuration), of: base).number, unit, instance, who)
            },
            RegistrySetting(name: name + "Units", type: "REG_DWORD") {
                .number(UInt32(PeriodUnit.split(get($0.configuration), of: base).number))
            } write: { value, instance, who in
                let unit = PeriodUnit.split(get(instance.configuration), of: base).unit
                try await change(Int(try value.number()), unit, instance, who)
            },
        ]
    }
}

/// What a registry value holds.
enum RegistryValue: Equatable {
    case number(UInt32)
    case text(String)

    var text: String {
        switch self {
        case .number(let number): "\(number)"
        case .text(let text): text
        }
    }

    func number() throws -> UInt32 {
        switch self {
        case .number(let number): return number
        case .text(let text):
            let lower = text.lowercased()
            let parsed = lower.hasPrefix("0x") ? UInt32(lower.dropFirst(2), radix: 16) : UInt32(text)
            guard let parsed else { throw WindowsUsageError("\"\(text)\" is no number") }
            return parsed
        }
    }
}

/// The units of the registry's periods.
enum PeriodUnit: String, CaseIterable {
    case years = "Years"
    case months = "Months"
    case weeks = "Weeks"
    case days = "Days"
    case hours = "Hours"

    init?(named text: String) {
        guard let unit = PeriodUnit.allCases.first(where: { $0.rawValue.lowercased() == text.lowercased() }) else {
            return nil
        }
        self = unit
    }

    /// A month is 30 days and a year 365, as the templates count them.
    var hours: Int {
        switch self {
        case .years: 365 * 24
        case .months: 30 * 24
        case .weeks: 7 * 24
        case .days: 24
        case .hours: 1
        }
    }

    /// A stored number in the largest unit that it is a whole number of.
    static func split(_ number: Int, of base: PeriodUnit) -> (number: Int, unit: PeriodUnit) {
        let hours = number * base.hours
        let units: [PeriodUnit] = [.years, .weeks, .days, .hours]
        let unit = units.first { $0.hours >= base.hours && hours > 0 && hours % $0.hours == 0 } ?? base
        return (hours / unit.hours, unit)
    }
}

extension Instance {
    /// A setting that is true or false, as signet.yaml has it; its default is false for all that are mapped.
    func isTrue(_ setting: SettingPath) throws -> Bool {
        switch setting.description {
        case "archival.foreign-certificates": try self.settingText(setting) == "true"
        case "crl.keep-expired": self.configuration.crl.keepExpired
        case "exchange.require-template": self.configuration.exchange.requiresTemplate
        default: false
        }
    }
}

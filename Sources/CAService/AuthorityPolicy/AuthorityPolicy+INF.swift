import CertificateAuthority
import Foundation
import PKIMessages
import SwiftASN1
import X509

/// `CAPolicy.inf` (Windows Server 2003; protocols.md 8), and the sections of `Policy.inf` that limit a CA elsewhere.
extension AuthorityPolicy {
    init(_ file: InformationFile) throws {
        self.init()
        var reader = Reader(file: file)
        try reader.version()
        try reader.read("Certsrv_Server") { try self.readServer($0, &$1) }
        try reader.read("BasicConstraintsExtension") { try self.readBasicConstraints($0, &$1) }
        try reader.read("PolicyStatementExtension") { try self.readPolicies($0, &$1) }
        try reader.read("CRLDistributionPoint") { self.settings.crlURLs = try $1.urls($0) }
        try reader.read("AuthorityInformationAccess") { self.settings.caIssuerURLs = try $1.urls($0) }
        try reader.read("EnhancedKeyUsageExtension") { self.settings.extendedKeyUsages = try $1.oids($0) }
        try reader.read("NameConstraintsExtension") { try self.readNameConstraints($0, &$1) }
        try reader.read("CrossCertificateDistributionPointsExtension") { try self.readCrossCertificates($0, &$1) }
        try reader.read("PolicyMappingsExtension") { try self.readMappings($0, &$1) }
        try reader.read("PolicyConstraintsExtension") { try self.readConstraints($0, &$1) }
        try reader.finish()
        self.notes = reader.notes
    }

    private mutating func readServer(_ section: InformationFile.Section, _ reader: inout Reader) throws {
        var periods: [String: (unit: Period.Unit?, count: Int?)] = [:]
        for entry in section.entries {
            switch entry.key {
            case "renewalkeylength": self.renewalKeyLength = try reader.number(entry, 256...16_384)
            // Windows 2000 has the meanings of these two the other way round.
            case "renewalvalidityperiod", "renewalvalidityperiodunits":
                let name = "renewalvalidityperiod"
                if Int(entry.value) != nil {
                    periods[name, default: (nil, nil)].count = try reader.number(entry, 0...1_000)
                } else {
                    periods[name, default: (nil, nil)].unit = try reader.unit(entry)
                }
            case "crlperiodunits", "crldeltaperiodunits":
                periods[String(entry.key.dropLast(5)), default: (nil, nil)].count = try reader.number(entry, 0...1_000)
            case "crlperiod", "crldeltaperiod":
                periods[entry.key, default: (nil, nil)].unit = try reader.unit(entry)
            case "clockskewminutes": self.clockSkewMinutes = try reader.number(entry, 0...1_440)
            case "loaddefaulttemplates": self.loadsDefaultTemplates = try reader.flag(entry)
            case "cnghashalgorithm": self.hashAlgorithm = try reader.hash(entry)
            case "alternatesignaturealgorithm", "discretesignaturealgorithm", "forceutf8", "enablekeycounting",
                "usedefinedcacertinrequest":
                reader.notes.append("line \(entry.line): \(entry.key) has no effect here")
            default: throw reader.unknown(entry, section)
            }
        }
        func period(_ name: String, atLeast minimum: Int) throws -> Period? {
            guard let (unit, count) = periods[name] else { return nil }
            guard let unit, let count, count >= minimum else {
                throw reader.file.invalid(section.line, "\(name) and \(name)units belong together")
            }
            return Period(count: count, unit: unit)
        }
        self.renewalValidity = try period("renewalvalidityperiod", atLeast: 1)
        self.crlPeriod = try period("crlperiod", atLeast: 1)
        self.crlDeltaPeriod = try period("crldeltaperiod", atLeast: 0)
    }

    private mutating func readBasicConstraints(
        _ section: InformationFile.Section, _ reader: inout Reader
    ) throws {
        for entry in section.entries {
            switch entry.key {
            case "pathlength": self.settings.pathLength = try reader.number(entry, 0...255)
            case "critical": self.settings.basicConstraintsCritical = try reader.flag(entry)
            default: throw reader.unknown(entry, section)
            }
        }
    }

    private mutating func readPolicies(_ section: InformationFile.Section, _ reader: inout Reader) throws {
        var names: [(String, Int)] = []
        for entry in section.entries {
            switch entry.key {
            case "policies":
                names += entry.value.split(separator: ",").map {
                    ($0.trimmingCharacters(in: .whitespaces), entry.line)
                }
            case "critical": self.settings.policies.critical = try reader.flag(entry)
            default: throw reader.unknown(entry, section)
            }
        }
        for (name, line) in names {
            guard let policy = reader.take(name) else {
                throw reader.file.invalid(line, "there is no section [\(name)]")
            }
            self.settings.policies.values.append(try reader.policy(policy))
        }
    }

    private mutating func readNameConstraints(_ section: InformationFile.Section, _ reader: inout Reader) throws {
        for entry in section.entries {
            switch entry.key {
            case "include": self.settings.nameConstraints.permitted += try reader.subtrees(entry)
            case "exclude": self.settings.nameConstraints.excluded += try reader.subtrees(entry)
            case "critical": self.settings.nameConstraintsCritical = try reader.flag(entry)
            default: throw reader.unknown(entry, section)
            }
        }
    }

    private mutating func readCrossCertificates(_ section: InformationFile.Section, _ reader: inout Reader) throws {
        let interval = try section.entries.first { $0.key == "syncdeltatime" }.map {
            try reader.number($0, 0...31_536_000)
        }
        var urls = section
        urls.entries.removeAll { $0.key == "syncdeltatime" }
        self.settings.crossCertificateURLs = try reader.urls(urls)
        self.settings.crossCertificateInterval = interval
    }

    private mutating func readMappings(_ section: InformationFile.Section, _ reader: inout Reader) throws {
        for entry in section.entries {
            if entry.key == "critical" {
                self.settings.policyMappings.critical = try reader.flag(entry)
                continue
            }
            guard let issuer = AuthorityPolicyValues.oid(entry.key),
                let subject = AuthorityPolicyValues.oid(entry.value)
            else { throw reader.file.invalid(entry.line, "OID = OID is expected") }
            self.settings.policyMappings.values.append(PolicyMapping(issuerPolicy: issuer, subjectPolicy: subject))
        }
    }

    private mutating func readConstraints(_ section: InformationFile.Section, _ reader: inout Reader) throws {
        for entry in section.entries {
            switch entry.key {
            case "requireexplicitpolicy":
                self.settings.policyConstraints.requireExplicitPolicy = try reader.number(entry, 0...255)
            case "inhibitpolicymapping":
                self.settings.policyConstraints.inhibitPolicyMapping = try reader.number(entry, 0...255)
            case "critical": self.settings.policyConstraintsCritical = try reader.flag(entry)
            default: throw reader.unknown(entry, section)
            }
        }
    }
}

extension AuthorityPolicy {
    /// Reads values, and remembers which sections somebody asked for.
    fileprivate struct Reader {
        let file: InformationFile
        var notes: [String] = []
        private var taken: Set<String> = ["version", "strings"]

        init(file: InformationFile) {
            self.file = file
        }

        /// `[Version] Signature="$Windows NT$"` (or `$Chicago$`) is what makes Windows read the file at all.
        func version() throws {
            let signature = self.file.section("Version")?.entries.first { $0.key == "signature" }?.value.lowercased()
            guard ["$windows nt$", "$windows 95$", "$chicago$"].contains(signature) else {
                throw self.file.invalid(1, "[Version] with Signature=\"$Windows NT$\" is missing")
            }
        }

        mutating func take(_ name: String) -> InformationFile.Section? {
            self.taken.insert(name.lowercased())
            return self.file.section(name)
        }

        mutating func read(
            _ name: String, _ body: (InformationFile.Section, inout Reader) throws -> Void
        ) throws {
            guard let section = self.take(name) else { return }
            try body(section, &self)
        }

        func finish() throws {
            guard let stranger = self.file.sections.first(where: { !self.taken.contains($0.name.lowercased()) }) else {
                return
            }
            throw self.file.invalid(stranger.line, "nothing uses the section [\(stranger.name)]")
        }

        func unknown(_ entry: InformationFile.Entry, _ section: InformationFile.Section) -> ServiceError {
            self.file.invalid(entry.line, "[\(section.name)] has no setting \(entry.key)")
        }

        func number(_ entry: InformationFile.Entry, _ range: ClosedRange<Int>) throws -> Int {
            guard let number = AuthorityPolicyValues.number(entry.value, in: range) else {
                throw self.file.invalid(
                    entry.line, "\(entry.key): a number from \(range.lowerBound) to \(range.upperBound) is expected")
            }
            return number
        }

        func flag(_ entry: InformationFile.Entry) throws -> Bool {
            guard let flag = AuthorityPolicyValues.flag(entry.value) else {
                throw self.file.invalid(entry.line, "\(entry.key): True or False is expected")
            }
            return flag
        }

        /// `SHA256`; SHA-1 can be forged.
        func hash(_ entry: InformationFile.Entry) throws -> Digest {
            let text = entry.value.lowercased()
            guard text.hasPrefix("sha"), let digest = Digest(authorityText: "sha-" + text.dropFirst(3)) else {
                throw self.file.invalid(entry.line, "\(entry.key): SHA256, SHA384 or SHA512 is expected")
            }
            return digest
        }

        func unit(_ entry: InformationFile.Entry) throws -> Period.Unit {
            guard let unit = Period.Unit(rawValue: entry.value.lowercased()) else {
                throw self.file.invalid(entry.line, "\(entry.key): Hours, Days, Weeks, Months or Years is expected")
            }
            return unit
        }

        /// Repeated `URL=`; `Empty=True` and a section without entries say that there shall be none.
        func urls(_ section: InformationFile.Section) throws -> CACertificateSettings.Marked<String> {
            var found = CACertificateSettings.Marked<String>([])
            for entry in section.entries {
                switch entry.key {
                case "url":
                    guard let url = AuthorityPolicyValues.url(entry.value) else {
                        throw self.file.invalid(entry.line, "an address without blanks is expected")
                    }
                    found.values.append(url)
                case "empty":
                    guard try self.flag(entry) == false || section.entries.allSatisfy({ $0.key != "url" }) else {
                        throw self.file.invalid(entry.line, "it says Empty and has addresses")
                    }
                case "critical": found.critical = try self.flag(entry)
                default: throw self.unknown(entry, section)
                }
            }
            return found
        }

        func oids(
            _ section: InformationFile.Section
        ) throws -> CACertificateSettings.Marked<ASN1ObjectIdentifier> {
            var found = CACertificateSettings.Marked<ASN1ObjectIdentifier>([])
            for entry in section.entries {
                switch entry.key {
                case "oid": found.values.append(try self.oid(entry))
                case "critical": found.critical = try self.flag(entry)
                default: throw self.unknown(entry, section)
                }
            }
            return found
        }

        private func oid(_ entry: InformationFile.Entry) throws -> ASN1ObjectIdentifier {
            guard let oid = AuthorityPolicyValues.oid(entry.value) else {
                throw self.file.invalid(entry.line, "\(entry.value) is no object identifier")
            }
            return oid
        }

        func policy(_ section: InformationFile.Section) throws -> PolicyStatement {
            guard let identifier = section.entries.first(where: { $0.key == "oid" }) else {
                throw self.file.invalid(section.line, "[\(section.name)] has no OID")
            }
            var policy = PolicyStatement(oid: try self.oid(identifier))
            for entry in section.entries {
                switch entry.key {
                case "oid":
                    guard entry == identifier else { throw self.file.invalid(entry.line, "a policy has one OID") }
                case "notice": policy.furtherNotices.append(entry.value)
                case "url":
                    guard let url = AuthorityPolicyValues.url(entry.value) else {
                        throw self.file.invalid(entry.line, "an address without blanks is expected")
                    }
                    policy.furtherCPS.append(url)
                default: throw self.unknown(entry, section)
                }
            }
            return policy
        }

        mutating func subtrees(_ entry: InformationFile.Entry) throws -> [GeneralName] {
            guard let section = self.take(entry.value) else {
                throw self.file.invalid(entry.line, "there is no section [\(entry.value)]")
            }
            return try section.entries.map { name in
                guard let base = AuthorityPolicyValues.constraint(name.key, name.value) else {
                    throw self.file.invalid(name.line, "\(name.key) with such a value constrains no names")
                }
                return base
            }
        }
    }
}

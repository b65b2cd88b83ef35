package import CertificateAuthority
package import Foundation
package import KeyProvider
package import PKIMessages

/// What is decided before a CA is made, and applied then and at each renewal: `CAPolicy.inf` of Windows, or the same in
/// YAML.
package struct AuthorityPolicy: Sendable, Equatable {
    /// A number of hours, days, weeks, months or years, as the registry of Certificate Services has them.
    package struct Period: Sendable, Equatable {
        package enum Unit: String, Sendable, CaseIterable {
            case hours, days, weeks, months, years
        }

        package var count: Int
        package var unit: Unit

        package init(count: Int, unit: Unit) {
            self.count = count
            self.unit = unit
        }

        /// - Parameter text: `10 years`; a number from 0 to 1000.
        package init?(_ text: String) {
            let parts = text.split(separator: " ")
            guard parts.count == 2, let count = Int(parts[0]), (0...1_000).contains(count),
                let unit = Unit(rawValue: String(parts[1]))
            else { return nil }
            self.init(count: count, unit: unit)
        }

        /// Years and months by their mean length (Gregorian: 365.2425 days).
        package var seconds: TimeInterval {
            let day = 86_400.0
            switch self.unit {
            case .hours: return Double(self.count) * 3_600
            case .days: return Double(self.count) * day
            case .weeks: return Double(self.count) * 7 * day
            case .months: return Double(self.count) * 365.2425 / 12 * day
            case .years: return Double(self.count) * 365.2425 * day
            }
        }

        /// What lies between a date and the same day and time of so many months or years later, in UTC: as people count who
        /// say "20 years" of a certificate.
        ///
        /// - Returns: in seconds.
        package func seconds(after date: Date) -> TimeInterval {
            var calendar = Calendar(identifier: .gregorian)
            calendar.timeZone = .gmt
            let later: Date? =
                switch self.unit {
                case .months: calendar.date(byAdding: .month, value: self.count, to: date)
                case .years: calendar.date(byAdding: .year, value: self.count, to: date)
                case .hours, .days, .weeks: nil
                }
            return later?.timeIntervalSince(date) ?? self.seconds
        }
    }

    package var settings = CACertificateSettings()
    /// In bits; for the key of a renewal with a new key.
    package var renewalKeyLength: Int?
    /// How long a root's certificate is valid, the first and each renewed one.
    package var renewalValidity: Period?
    package var crlPeriod: Period?
    /// A count of 0 means no delta CRLs.
    package var crlDeltaPeriod: Period?
    package var clockSkewMinutes: Int?
    /// With which the CA signs; `nil`: what fits its key.
    package var hashAlgorithm: Digest?
    package var loadsDefaultTemplates = true
    /// Settings that Windows knows and that have no meaning here, for the operator to read.
    package var notes: [String] = []

    package init() {}

    /// Reads either kind of file; one that begins with `[` after comments is a setup information file.
    ///
    /// - Throws: ``ServiceError`` with code `invalidField`, naming line or field.
    package init(bytes: [UInt8], file: String) throws {
        if AuthorityPolicy.isInformationFile(bytes, file: file) {
            try self.init(InformationFile(bytes, file: file))
        } else {
            guard bytes.count <= InformationFile.maximumBytes, let text = String(validating: bytes, as: UTF8.self)
            else {
                throw ServiceError.invalid(file, "(whole file)", "it is too large, or not UTF-8")
            }
            try self.init(YAMLMapping(text: text, file: file))
        }
        _ = try self.settings.extensions()
    }

    /// By the name, or by what the first line that is no comment looks like.
    static func isInformationFile(_ bytes: [UInt8], file: String) -> Bool {
        if file.lowercased().hasSuffix(".inf") { return true }
        if file.lowercased().hasSuffix(".yaml") || file.lowercased().hasSuffix(".yml") { return false }
        let text = String(decoding: bytes.prefix(4096), as: UTF8.self)
        let first = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .first { !$0.isEmpty && !$0.hasPrefix(";") && !$0.hasPrefix("#") }
        return first?.hasPrefix("[") ?? false || bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF])
    }

    /// The key of a renewal: the algorithm in place, with ``renewalKeyLength`` where it is an RSA key.
    ///
    /// - Throws: ``ServiceError`` with code `invalidField` for a length that the kind of key cannot have.
    package func renewalAlgorithm(after algorithm: KeyAlgorithm) throws -> KeyAlgorithm {
        guard let bits = self.renewalKeyLength else { return algorithm }
        let named = algorithm.isRSA ? "rsa-\(bits)" : "p-\(bits)"
        guard let result = KeyAlgorithm(named) else {
            throw ServiceError.invalid("the CA policy", "RenewalKeyLength", "there is no key \(named)")
        }
        return result
    }
}

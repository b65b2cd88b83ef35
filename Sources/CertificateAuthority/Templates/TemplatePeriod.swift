package import Foundation

/// A length of time in a template, written as `2 years`, `6 weeks`, `7 days`, `12 hours` or `10 minutes`.
///
/// A year is 365 days, as in the defaults of Windows Server 2003 (MS-CRTD, `pKIExpirationPeriod`).
package struct TemplatePeriod: Sendable, Hashable, Codable, LosslessStringConvertible {
    package enum Unit: String, Sendable, CaseIterable {
        case years, weeks, days, hours, minutes

        var seconds: Int {
            switch self {
            case .years: 365 * 86400
            case .weeks: 7 * 86400
            case .days: 86400
            case .hours: 3600
            case .minutes: 60
            }
        }
    }

    package let count: Int
    package let unit: Unit

    package static func years(_ count: Int) -> TemplatePeriod { TemplatePeriod(count: count, unit: .years) }
    package static func weeks(_ count: Int) -> TemplatePeriod { TemplatePeriod(count: count, unit: .weeks) }
    package static func days(_ count: Int) -> TemplatePeriod { TemplatePeriod(count: count, unit: .days) }

    private init(count: Int, unit: Unit) {
        self.count = count
        self.unit = unit
    }

    /// `nil` for a text of another form, a count below 0 or more than 100 years.
    package init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 2, let count = Int(words[0]), count >= 0, count <= 100 * 365 * 1440 else { return nil }
        let name = words[1].lowercased()
        guard let unit = Unit.allCases.first(where: { $0.rawValue == name || $0.rawValue == name + "s" }),
            count <= 100 * 365 * 86400 / unit.seconds
        else { return nil }
        self.init(count: count, unit: unit)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let period = TemplatePeriod(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\"\(text)\" is no period: write it as \"2 years\" or \"6 weeks\"")
        }
        self = period
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.description)
    }

    package var timeInterval: TimeInterval { TimeInterval(self.count * self.unit.seconds) }

    package var description: String {
        self.count == 1 ? "1 \(self.unit.rawValue.dropLast())" : "\(self.count) \(self.unit.rawValue)"
    }
}

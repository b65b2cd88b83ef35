import Foundation
import PKIMessages
import SwiftASN1
import X509

/// What a request's attributes choose, as far as the CA's settings let them (protocols.md 5.2, EditFlags).
struct AttributeChoices {
    private let attributes: RequestAttributes
    private let settings: PolicySettings
    private let now: Date

    init(_ attributes: RequestAttributes, settings: PolicySettings, now: Date) {
        self.attributes = attributes
        self.settings = settings
        self.now = now
    }

    /// The end that `ExpirationDate`, or `ValidityPeriod` with `ValidityPeriodUnits`, asks for.
    ///
    /// - Throws: ``PolicyError`` with code `badAttribute` for one that cannot be read or lies in the past.
    func notAfter() throws -> Date? {
        guard self.settings.takesAttributeValidity else { return nil }
        if let text = self.attributes.values(of: "ExpirationDate").first {
            guard let date = AttributeChoices.date(text), date > self.now else {
                throw PolicyError.badAttribute("ExpirationDate", text)
            }
            return date
        }
        guard let unit = self.attributes.values(of: "ValidityPeriod").first else { return nil }
        let count = self.attributes.values(of: "ValidityPeriodUnits").first ?? "1"
        guard let period = TemplatePeriod("\(count) \(unit)"), period.count > 0 else {
            throw PolicyError.badAttribute("ValidityPeriod", "\(count) \(unit)")
        }
        return self.now.addingTimeInterval(period.timeInterval)
    }

    /// The usages of `CertificateUsage`: identifiers or names with commas between them.
    func usages() throws -> [ExtendedKeyPurpose]? {
        guard self.settings.takesAttributeUsage,
            let text = self.attributes.values(of: "CertificateUsage").first
        else { return nil }
        return try text.split(separator: ",").map { part in
            guard let purpose = ExtendedKeyPurpose(part.trimmingCharacters(in: .whitespaces)) else {
                throw PolicyError.badAttribute("CertificateUsage", text)
            }
            return purpose
        }
    }

    /// The names of `SAN`: `dns=…&email=…&ipaddress=…&url=…`. A principal name is refused: it comes from authentication.
    func alternativeNames() throws -> [GeneralName] {
        guard self.settings.takesAttributeNames else { return [] }
        return try self.attributes.values(of: "SAN").flatMap { text in
            try text.split(separator: "&").map { part in
                let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
                guard pair.count == 2, let name = AttributeChoices.name(pair[0].lowercased(), pair[1]) else {
                    throw PolicyError.badAttribute("SAN", text)
                }
                return name
            }
        }
    }

    private static func name(_ kind: String, _ value: String) -> GeneralName? {
        guard value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        switch kind {
        case "dns": return .dnsName(value)
        case "email": return .rfc822Name(value)
        case "url": return .uniformResourceIdentifier(value)
        case "ipaddress":
            return IPAddressText.bytes(value).map { .ipAddress(ASN1OctetString(contentBytes: $0[...])) }
        default: return nil
        }
    }

    /// RFC 1123, as Windows writes it, or ISO 8601.
    private static func date(_ text: String) -> Date? {
        // `try?`: what is no ISO 8601 may be the other form.
        if let date = try? Date(text, strategy: .iso8601) { return date }
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.date(from: text)
    }
}

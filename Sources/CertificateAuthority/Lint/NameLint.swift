import PKIMessages
import SwiftASN1
import X509

/// The subject and its alternative names (RFC 5280, sections 4.1.2.6, 4.2.1.6 and appendix A).
struct NameLint {
    private(set) var findings: [LintFinding] = []

    /// Upper bounds in characters (RFC 5280, appendix A.1).
    private static let upperBounds: [ASN1ObjectIdentifier: (name: String, limit: Int)] = [
        .RDNAttributeType.commonName: ("ub-common-name", 64),
        .RDNAttributeType.organizationName: ("ub-organization-name", 64),
        .RDNAttributeType.organizationalUnitName: ("ub-organizational-unit-name", 64),
        .RDNAttributeType.localityName: ("ub-locality-name", 128),
        .RDNAttributeType.stateOrProvinceName: ("ub-state-name", 128),
        .RDNAttributeType.countryName: ("ub-country-name-alpha-length", 2),
        .RDNAttributeType.emailAddress: ("ub-emailaddress-length", 255),
        [2, 5, 4, 5]: ("ub-serial-number", 64),
        [2, 5, 4, 12]: ("ub-title", 64),
        [2, 5, 4, 65]: ("ub-pseudonym", 128),
    ]

    /// - Parameter names: the subject's alternative names, which many look at.
    init(_ fields: CertificateFields, _ names: [GeneralName]) {
        let critical = ExtensionDecoding(fields.extensions)[OID.subjectAlternativeName]?.critical
        let isEmpty = fields.subjectDER == [0x30, 0x00]
        if isEmpty, critical != true {
            self.add("empty-subject", "without a subject the alternative names must be there and critical")
        }
        if !isEmpty, critical == true {
            self.add("alternative-names-critical", "the alternative names should not be critical", .warning)
        }
        for attribute in fields.subject.joined() { self.check(attribute) }
        for name in names { self.check(name) }
    }

    private mutating func add(_ id: String, _ text: String, _ severity: LintFinding.Severity = .error) {
        self.findings.append(LintFinding(id, severity, .request, text))
    }

    private mutating func check(_ attribute: RelativeDistinguishedName.Attribute) {
        guard let text = String(attribute.value) else {
            self.add(
                "subject-old-encoding", "\(attribute.type) is neither UTF8String nor PrintableString", .warning)
            return
        }
        if text.isEmpty { self.add("subject-value-empty", "\(attribute.type) is empty") }
        if let bound = NameLint.upperBounds[attribute.type], text.unicodeScalars.count > bound.limit {
            self.add(
                "subject-value-too-long",
                "\(attribute.type) has \(text.unicodeScalars.count) characters, and \(bound.name) is \(bound.limit)")
        }
        if attribute.type == .RDNAttributeType.countryName,
            text.utf8.count != 2 || !text.utf8.allSatisfy({ (0x41...0x5A).contains($0) })
        {
            self.add("country-not-two-letters", "\"\(text)\" is no country code of two capital letters")
        }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            self.add("subject-control-character", "\(attribute.type) has a control character")
        }
    }

    private mutating func check(_ name: GeneralName) {
        switch name {
        case .dnsName(let text): self.checkHost(text, "DNS name")
        case .rfc822Name(let text):
            let parts = text.split(separator: "@", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                self.add("mail-address-malformed", "\"\(text)\" is no mail address")
                return
            }
            self.checkHost(String(parts[1]), "host of a mail address")
        case .ipAddress(let address):
            if ![4, 16].contains(address.bytes.count) {
                self.add("ip-address-length", "an IP address has 4 or 16 bytes, not \(address.bytes.count)")
            }
        case .uniformResourceIdentifier(let text):
            let scheme = text.prefix { $0 != ":" }
            let isScheme = scheme.first?.isLetter == true && scheme.count < text.count
            if !isScheme || !text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
                self.add("uri-malformed", "\"\(text)\" is no absolute URI")
            }
        default: break
        }
    }

    /// The preferred syntax (RFC 1034, section 3.5), with an asterisk as the whole first label.
    private mutating func checkHost(_ text: String, _ what: String) {
        var labels = text.split(separator: ".", omittingEmptySubsequences: false)[...]
        if labels.count > 1, labels.first == "*" { labels.removeFirst() }
        let isSound =
            !text.isEmpty && text.utf8.count <= 253
            && labels.allSatisfy { label in
                !label.isEmpty && label.utf8.count <= 63 && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.utf8.allSatisfy(NameLint.isHostCharacter)
            }
        if !isSound { self.add("dns-name-malformed", "\"\(text)\" is no \(what)") }
        if isSound, text.utf8.contains(0x5F) {
            self.add("dns-name-underscore", "\"\(text)\" has an underscore", .warning)
        }
    }

    private static func isHostCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
        default: false
        }
    }
}

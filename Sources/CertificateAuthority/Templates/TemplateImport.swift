import Foundation
import PKIMessages

/// Reads a template out of the attributes of MS-CRTD: LDIF as a directory exports it, or the `name = "value"` lines
/// that `certutil -dstemplate` prints.
///
/// The access list (`nTSecurityDescriptor`) is not read: it names accounts of another place.
package struct TemplateImport {
    package private(set) var template: CertificateTemplate
    /// What the text says and this CA does not follow.
    package private(set) var ignored: [String] = []

    static let maximumBytes = 1 << 20

    /// - Throws: ``TemplateError`` with code `badImport`.
    package init(_ text: String) throws {
        let values = try TemplateAttributes(text)
        let name = try values.text("cn")
        guard
            let oid = values.optional("msPKI-Cert-Template-OID")
                ?? BuiltInTemplates.all.first(where: { $0.name == name })?.oid
        else { throw TemplateError.badImport("msPKI-Cert-Template-OID", "it is missing") }
        guard ObjectIdentifierText.parse(oid) != nil else {
            throw TemplateError.badImport("msPKI-Cert-Template-OID", "\"\(oid)\" is no object identifier")
        }
        self.template = CertificateTemplate(
            name: name, displayName: values.optional("displayName") ?? name, oid: oid,
            schemaVersion: try values.number("msPKI-Template-Schema-Version", default: 1),
            majorVersion: try values.number("revision", default: 0),
            minorVersion: try values.number("msPKI-Template-Minor-Revision", default: 0),
            validity: try values.period("pKIExpirationPeriod"), overlap: try values.period("pKIOverlapPeriod"),
            supersedes: values.all("msPKI-Supersede-Templates"), subject: .fromRequest,
            keyUsage: TemplateBits.keyUsage(try values.octets("pKIKeyUsage")),
            extendedKeyUsages: try values.purposes("pKIExtendedKeyUsage"),
            issuancePolicies: values.all("msPKI-Certificate-Policy").map { .init(oid: $0) },
            permissions: BuiltInTemplates.administratorsOnly)
        let flags = TemplateFlags(
            general: try values.bits("flags"), enrollment: try values.bits("msPKI-Enrollment-Flag"),
            privateKey: try values.bits("msPKI-Private-Key-Flag"), name: try values.bits("msPKI-Certificate-Name-Flag"))
        flags.apply(to: &self.template)
        self.ignored = flags.unknown
        try self.readRest(values, flags)
        // What the YAML file could not say must not come in by this door.
        try self.checkByCoding()
    }

    private mutating func readRest(_ values: TemplateAttributes, _ flags: TemplateFlags) throws {
        self.template.minimumKeyBits.rsa = try values.number("msPKI-Minimal-Key-Size", default: 2048)
        if flags.general & TemplateFlags.isCA != 0 {
            let depth = try values.number("pKIMaxIssuingDepth", default: -1)
            self.template.certificationAuthority = .init(pathLength: depth < 0 ? nil : depth)
        }
        if values.has("msPKI-Certificate-Application-Policy") {
            self.template.applicationPolicies = try values.purposes("msPKI-Certificate-Application-Policy")
        }
        self.template.criticalExtensions = []
        for text in values.all("pKICriticalExtensions") {
            guard let oid = ObjectIdentifierText.parse(text), let name = CertificateExtensionName(oid: oid) else {
                self.ignored.append("pKICriticalExtensions \(text)")
                continue
            }
            self.template.criticalExtensions.append(name)
        }
        self.template.client.keySpecification =
            try values.number("pKIDefaultKeySpec", default: 1) == 2 ? .signature : .exchange
        self.template.client.providers = values.all("pKIDefaultCSPs").map { text in
            text.split(separator: ",", maxSplits: 1).last.map(String.init) ?? text
        }
        self.template.requiredSignatures = .init(
            count: try values.number("msPKI-RA-Signature", default: 0),
            applicationPolicies: try values.signaturePolicies(), issuancePolicies: values.all("msPKI-RA-Policies"))
    }

    private func checkByCoding() throws {
        do {
            _ = try JSONDecoder().decode(CertificateTemplate.self, from: JSONEncoder().encode(self.template))
        } catch DecodingError.dataCorrupted(let context) {
            throw TemplateError.badImport("(template)", context.debugDescription)
        }
    }
}

extension TemplateFlags {
    init(general: UInt32, enrollment: UInt32, privateKey: UInt32, name: UInt32) {
        self.general = general
        self.enrollment = enrollment
        self.privateKey = privateKey
        self.name = name
    }
}

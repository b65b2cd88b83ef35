package import SwiftASN1

/// The attributes that Windows clients put into a request (MS-WCCE, section 2.2.2.7).
extension CertificationRequest {
    /// A name-value pair, 1.3.6.1.4.1.311.13.2.1: `SEQUENCE { BMPString name, BMPString value }`.
    package struct NameValuePair: Hashable, Sendable {
        package let name: String
        package let value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// All name-value pairs, in order.
    ///
    /// - Throws: ``PKIMessageError`` with code `malformed`.
    package func nameValuePairs() throws -> [NameValuePair] {
        try self.attributes.filter { $0.type == OID.msEnrollmentNameValuePair }.flatMap(\.values).map {
            try StrictDER.parse(NameValuePair.self, $0, what: "enrollment name-value pair")
        }
    }

    /// The certificate template that the name-value pair `CertificateTemplate` names.
    ///
    /// - Throws: ``PKIMessageError`` with code `malformed`, also when two pairs name different templates.
    package func templateName() throws -> String? {
        let names = try self.nameValuePairs().filter { $0.name.lowercased() == "certificatetemplate" }.map(\.value)
        guard Set(names).count <= 1 else {
            throw PKIMessageError.malformed(Self.what, "it names two certificate templates")
        }
        return names.first
    }

    /// The operating system version, 1.3.6.1.4.1.311.13.2.3, as "5.2.3790.2".
    package func osVersion() throws -> String? {
        try self.singleValue(OID.msOSVersion, "OS version").map { value in
            let node = try StrictDER.node(value, what: "OS version")
            let strings: [ASN1Identifier] = [.ia5String, .printableString, .utf8String]
            guard strings.contains(node.identifier), let content = StrictDER.content(node),
                let text = String(validating: content, as: UTF8.self)
            else { throw PKIMessageError.malformed("OS version", "it is not a string") }
            return text
        }
    }

    /// The certificate that is renewed, 1.3.6.1.4.1.311.13.1: DER of a Certificate.
    package func renewalCertificate() throws -> [UInt8]? {
        try self.singleValue(OID.msRenewalCertificate, "renewal certificate")
    }

    private func singleValue(_ type: ASN1ObjectIdentifier, _ name: String) throws -> [UInt8]? {
        let values = self.attributes.filter { $0.type == type }.flatMap(\.values)
        guard values.count <= 1 else { throw PKIMessageError.malformed(name, "there are \(values.count) of them") }
        return values.first
    }
}

extension CertificationRequest.NameValuePair: DERParseable, DERSerializable {
    package init(derEncoded node: ASN1Node) throws {
        self = try DER.sequence(node, identifier: .sequence) { nodes in
            let name = try BMPText.decode(ASN1BMPString(derEncoded: &nodes).bytes, what: "attribute name")
            let value = try BMPText.decode(ASN1BMPString(derEncoded: &nodes).bytes, what: "attribute value")
            return .init(name: name, value: value)
        }
    }

    package func serialize(into coder: inout DER.Serializer) throws {
        let name = try BMPText.encode(self.name, what: "attribute name")
        let value = try BMPText.encode(self.value, what: "attribute value")
        try coder.appendConstructedNode(identifier: .sequence) { coder in
            try coder.serialize(ASN1BMPString(contentBytes: name[...]))
            try coder.serialize(ASN1BMPString(contentBytes: value[...]))
        }
    }
}

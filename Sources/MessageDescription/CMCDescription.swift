import PKIMessages
import SwiftASN1
import X509

extension DescriptionText {
    mutating func describe(_ data: PKIData) throws {
        self.line("CMS Certificate Request:")
        self.controls(data.controls)
        self.line("Tagged Requests: \(data.requests.count)")
        self.indented(by: 2) { text in
            for (index, request) in data.requests.enumerated() { text.describe(request, index) }
        }
        self.messages(data.cmsSequence, data.otherMessages)
    }

    mutating func describe(_ response: PKIResponse) throws {
        self.line("CMS Certificate Response:")
        self.controls(response.controls)
        self.messages(response.cmsSequence, response.otherMessages)
    }

    private mutating func describe(_ request: TaggedRequest, _ index: Int) {
        switch request {
        case .certificationRequest(let bodyPartID, let der):
            self.line("CMC_TAGGED_CERT_REQUEST_CHOICE:")
            self.line("Body Part Id: \(bodyPartID)")
            self.nestedMessage(der, title: "Element \(index):")
        case .other(let der):
            self.line(der.first == 0xA1 ? "CRMF Request:" : "Other Request:")
            self.dump(der)
        }
    }

    /// The content of a CMC message behind its controls and requests.
    private mutating func messages(_ nested: [[UInt8]], _ others: [[UInt8]]) {
        self.line("Tagged Content Info: \(nested.count)")
        self.indented(by: 2) { text in
            for der in nested {
                // `try?`: what is no numbered message is shown as bytes.
                if let message = try? StrictDER.parse(TaggedContentInfo.self, der, what: "nested message") {
                    text.line("Body Part Id: \(message.bodyPartID)")
                    text.nestedMessage(message.contentInfoDER)
                } else {
                    text.dump(der)
                }
            }
        }
        self.line("Tagged Other Messages: \(others.count)")
        self.indented(by: 2) { text in
            for der in others { text.dump(der) }
        }
    }

    private mutating func controls(_ controls: [TaggedAttribute]) {
        self.line("Tagged Attributes: \(controls.count)")
        self.indented(by: 2) { text in
            for control in controls {
                text.line()
                text.line("Body Part Id: \(control.bodyPartID)")
                text.line("\(control.type) \(DescriptionText.controlNames[control.type] ?? "Unknown")")
                for (index, value) in control.values.enumerated() {
                    text.line("Value[\(index)]:")
                    guard let read = DescriptionText.controlValues[control.type] else {
                        text.dump(value)
                        continue
                    }
                    text.value(value, what: "control", read)
                }
            }
        }
        self.line()
    }

    private static let controlNames: [ASN1ObjectIdentifier: String] = [
        OID.cmcStatusInfo: "CMC Status Info", OID.cmcIdentification: "CMC Identification",
        OID.cmcTransactionID: "CMC Transaction Id", OID.cmcSenderNonce: "CMC Sender Nonce",
        OID.cmcRecipientNonce: "CMC Recipient Nonce", OID.cmcAddExtensions: "CMC Extensions",
        OID.cmcRevokeRequest: "CMC Revoke Request", OID.cmcRegInfo: "CMC Reg Info",
        OID.cmcResponseInfo: "CMC Response Info", OID.cmcQueryPending: "CMC Query Pending",
        OID.cmcAddAttributes: "CMC Attributes", [1, 3, 6, 1, 5, 5, 7, 7, 3]: "CMC Identity Proof",
        [1, 3, 6, 1, 5, 5, 7, 7, 11]: "CMC Lra Pop Witness", [1, 3, 6, 1, 5, 5, 7, 7, 15]: "CMC Get Cert",
        [1, 3, 6, 1, 5, 5, 7, 7, 16]: "CMC Get CRL",
        [1, 3, 6, 1, 5, 5, 7, 7, 24]: "CMC Id Confirm Certificate Acceptance",
    ]

    private static let controlValues:
        [ASN1ObjectIdentifier: @Sendable (ASN1Node, inout DescriptionText) throws -> Void] = [
            OID.cmcAddExtensions: { node, text in
                let added = try AddExtensions(derEncoded: node)
                text.references(added.pkiDataReference, added.certReferences)
                text.certificateExtensions("Certificate Extensions", added.extensions)
            },
            OID.cmcAddAttributes: { node, text in
                let added = try AddAttributes(derEncoded: node)
                text.references(added.pkiDataReference, added.certReferences)
                text.attributes(added.attributes)
            },
            OID.cmcStatusInfo: { try $1.describe(CMCStatusInfo(derEncoded: $0)) },
            OID.cmcRegInfo: { node, text in
                let octets = Array(try ASN1OctetString(derEncoded: node).bytes)
                for pair in try RegInfo(octets: octets).pairs { text.line("\(pair.name)=\(pair.value)") }
            },
            OID.cmcIdentification: { $1.line(try $0.text()) },
            OID.cmcTransactionID: { $1.line(DescriptionText.octets(try DERInteger.content($0))) },
            OID.cmcSenderNonce: { $1.line(DescriptionText.octets(try ASN1OctetString(derEncoded: $0).bytes)) },
            OID.cmcRecipientNonce: { $1.line(DescriptionText.octets(try ASN1OctetString(derEncoded: $0).bytes)) },
            OID.cmcResponseInfo: { $1.line(DescriptionText.octets(try ASN1OctetString(derEncoded: $0).bytes)) },
            OID.cmcQueryPending: { $1.line(DescriptionText.octets(try ASN1OctetString(derEncoded: $0).bytes)) },
        ]

    private mutating func references(_ data: UInt32, _ requests: [UInt32]) {
        self.line("Data Reference: \(data)")
        for (index, request) in requests.enumerated() { self.line("Cert Reference[\(index)]: \(request)") }
    }

    private mutating func describe(_ status: CMCStatusInfo) throws {
        let names = [
            0: "CMC_STATUS_SUCCESS", 2: "CMC_STATUS_FAILED", 3: "CMC_STATUS_PENDING", 4: "CMC_STATUS_NO_SUPPORT",
            5: "CMC_STATUS_CONFIRM_REQUIRED",
        ]
        self.line("CMC Status: \(status.status.rawValue) \(names[status.status.rawValue] ?? "Unknown")")
        for (index, part) in status.bodyList.enumerated() { self.line("Body Part[\(index)]: \(part)") }
        if let text = status.statusString { self.line("Status String: \(text)") }
        switch status.otherInfo {
        case .failInfo(let code): self.line("Fail Info: \(code)")
        case .pendInfo(let info):
            let request = info.requestID.map { " (request \($0))" } ?? ""
            self.line("Pend Token: \(DescriptionText.octets(info.pendToken))\(request)")
            self.line("Pend Time: \(self.style.time(info.pendTime))")
        case nil: break
        }
    }
}

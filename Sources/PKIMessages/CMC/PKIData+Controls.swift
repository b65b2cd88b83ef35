import SwiftASN1
import X509

extension PKIData {
    /// The PKCS #10 of a message that asks for one certificate by PKCS #10 and nothing else.
    func onlyCertificationRequest() throws -> (bodyPartID: UInt32, derBytes: [UInt8]) {
        let what = FullPKIRequest.what
        guard self.requests.count == 1, case .certificationRequest(let bodyPartID, let derBytes) = self.requests[0]
        else {
            throw PKIMessageError.malformed(
                what, "it must hold exactly one PKCS #10, and holds \(self.requests.count) requests")
        }
        guard self.cmsSequence.isEmpty, self.otherMessages.isEmpty else {
            throw PKIMessageError.malformed(what, "it holds further messages")
        }
        let numbers = [bodyPartID] + self.controls.map(\.bodyPartID)
        guard Set(numbers).count == numbers.count else {
            throw PKIMessageError.malformed(what, "two of its body parts have the same number")
        }
        return (bodyPartID, derBytes)
    }

    /// The attributes that the controls add to a request.
    func addedAttributes(for bodyPartID: UInt32) throws -> [CMSAttribute] {
        try self.controls.filter { $0.type == OID.cmcAddAttributes }.flatMap { control in
            let added = try control.singleValue(as: AddAttributes.self, what: "CMC added attributes")
            try self.require(added.pkiDataReference, added.certReferences, for: bodyPartID)
            return added.attributes
        }
    }

    /// The extensions that the controls add to a request.
    func addedExtensions(for bodyPartID: UInt32) throws -> [Certificate.Extension] {
        try self.controls.filter { $0.type == OID.cmcAddExtensions }.flatMap { control in
            let added = try control.singleValue(as: AddExtensions.self, what: "CMC added extensions")
            try self.require(added.pkiDataReference, added.certReferences, for: bodyPartID)
            return added.extensions
        }
    }

    /// The name-value pairs of all regInfo controls.
    func regInfo() throws -> [RegInfo.Pair] {
        try self.controls.filter { $0.type == OID.cmcRegInfo }.flatMap { control in
            let octets = try control.singleValue(as: ASN1OctetString.self, what: "CMC regInfo")
            return try RegInfo(octets: Array(octets.bytes)).pairs
        }
    }

    /// A control must speak of this message (0) and of its only request.
    private func require(_ reference: UInt32, _ certReferences: [UInt32], for bodyPartID: UInt32) throws {
        guard reference == 0, certReferences == [bodyPartID] else {
            throw PKIMessageError.malformed(FullPKIRequest.what, "a control refers to a request that is not in it")
        }
    }
}

import PKIMessages
import SwiftASN1

/// Reading elements whose definition is simple, in the place where they are shown.
extension ASN1Node {
    /// The elements inside a constructed one; none inside a primitive one.
    var children: [ASN1Node] {
        guard case .constructed(let nodes) = self.content else { return [] }
        return Array(nodes)
    }

    /// The content octets of a primitive element; none of a constructed one.
    var octets: [UInt8] { StrictDER.content(self).map { Array($0) } ?? [] }

    /// True for `[number]`.
    func isTagged(_ number: UInt) -> Bool {
        self.identifier == ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific)
    }

    /// The element inside `[number] EXPLICIT`.
    func explicit() throws -> ASN1Node {
        guard self.children.count == 1, let inner = self.children.first else {
            throw ASN1Error.unexpectedFieldType(self.identifier)
        }
        return inner
    }

    /// The elements of a SEQUENCE with at least `count` of them.
    func fields(_ count: Int = 0, identifier: ASN1Identifier = .sequence) throws -> [ASN1Node] {
        guard self.identifier == identifier, case .constructed = self.content, self.children.count >= count else {
            throw ASN1Error.unexpectedFieldType(self.identifier)
        }
        return self.children
    }

    /// A small number, whatever its tag.
    func number() throws -> Int { try Int(derEncoded: self, withIdentifier: self.identifier) }

    /// The text of any string type.
    func text() throws -> String {
        if self.identifier == .bmpString {
            return try BMPText.decode(ASN1BMPString(derEncoded: self).bytes, what: "BMPString")
        }
        let types: [ASN1Identifier] = [.utf8String, .printableString, .ia5String, .numericString, .teletexString]
        guard types.contains(self.identifier) || self.identifier.tagClass == .contextSpecific,
            let content = StrictDER.content(self), let text = String(validating: content, as: UTF8.self)
        else { throw ASN1Error.unexpectedFieldType(self.identifier) }
        return text
    }
}

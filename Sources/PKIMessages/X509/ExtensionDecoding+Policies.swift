package import SwiftASN1

extension ExtensionDecoding {
    /// The certificate policies (RFC 5280, section 4.2.1.4); qualifiers are ignored.
    package func certificatePolicies() throws -> [ASN1ObjectIdentifier] {
        try self.value(OID.certificatePolicies, "certificatePolicies") { node in
            try DER.sequence(of: PolicyIdentifier.self, identifier: .sequence, rootNode: node).map(\.policy)
        } ?? []
    }
}

/// `PolicyInformation ::= SEQUENCE { policyIdentifier OBJECT IDENTIFIER, policyQualifiers SEQUENCE OPTIONAL }`
private struct PolicyIdentifier: DERParseable {
    let policy: ASN1ObjectIdentifier

    init(derEncoded node: ASN1Node) throws {
        self.policy = try DER.sequence(node, identifier: .sequence) { nodes in
            let policy = try ASN1ObjectIdentifier(derEncoded: &nodes)
            _ = nodes.next()
            return policy
        }
    }
}

import Foundation
import PKIMessages
import SwiftASN1
import X509

/// The permitted and excluded names of one name constraints extension.
///
///     NameConstraints ::= SEQUENCE { permittedSubtrees [0] GeneralSubtrees OPTIONAL,
///         excludedSubtrees [1] GeneralSubtrees OPTIONAL }
///     GeneralSubtree ::= SEQUENCE { base GeneralName, minimum [0] DEFAULT 0, maximum [1] OPTIONAL }
struct NameSubtrees: Sendable {
    private let permitted: [GeneralName]
    private let excluded: [GeneralName]

    /// - Returns: `nil` without such an extension.
    init?(_ extensions: [Certificate.Extension]) throws {
        let found = try ExtensionDecoding(extensions).value(OID.nameConstraints, "nameConstraints extension") {
            node in
            try DER.sequence(node, identifier: .sequence) { nodes in
                (try NameSubtrees.subtrees(&nodes, tag: 0), try NameSubtrees.subtrees(&nodes, tag: 1))
            }
        }
        guard let found else { return nil }
        (self.permitted, self.excluded) = found
    }

    private static func subtrees(
        _ nodes: inout ASN1NodeCollection.Iterator, tag: UInt
    ) throws -> [GeneralName] {
        let identifier = ASN1Identifier(tagWithNumber: tag, tagClass: .contextSpecific)
        return try DER.optionalImplicitlyTagged(&nodes, tagNumber: tag, tagClass: .contextSpecific) { node in
            try DER.sequence(of: Subtree.self, identifier: identifier, rootNode: node).map(\.base)
        } ?? []
    }

    private struct Subtree: DERParseable {
        let base: GeneralName

        init(derEncoded node: ASN1Node) throws {
            self.base = try DER.sequence(node, identifier: .sequence) { nodes in
                let base = try GeneralName(derEncoded: StrictDER.next(&nodes, "base"))
                // RFC 5280 has neither a minimum other than 0 nor a maximum, and a CA that wrote one is not understood.
                guard nodes.next() == nil else {
                    throw ASN1Error.invalidASN1Object(reason: "a subtree has a minimum or a maximum")
                }
                return base
            }
        }
    }

    func findings(about subject: SubjectNames) -> [LintFinding] {
        subject.names.compactMap { name in
            if self.excluded.contains(where: { NameMatch.isWithin(name, $0) ?? true && NameMatch.isSameKind(name, $0) })
            {
                return self.finding(name, "excluded")
            }
            let bases = self.permitted.filter { NameMatch.isSameKind(name, $0) }
            guard bases.isEmpty || bases.contains(where: { NameMatch.isWithin(name, $0) ?? false }) else {
                return self.finding(name, "not permitted")
            }
            return nil
        }
    }

    private func finding(_ name: GeneralName, _ how: String) -> LintFinding {
        // `try?`: a name that has no text is told by its kind.
        let text = (try? GeneralNameText.text(of: name)) ?? "a name"
        return LintFinding(
            "name-constraints", .error, .chain, "\(text) is \(how) by the name constraints of the chain")
    }
}

/// Whether a name lies within a subtree.
enum NameMatch {
    static func isSameKind(_ name: GeneralName, _ base: GeneralName) -> Bool {
        switch (name, base) {
        case (.dnsName, .dnsName), (.rfc822Name, .rfc822Name), (.directoryName, .directoryName),
            (.ipAddress, .ipAddress), (.uniformResourceIdentifier, .uniformResourceIdentifier):
            true
        case (.otherName(let name), .otherName(let base)): name.typeID == base.typeID
        default: false
        }
    }

    /// `nil` for kinds whose subtrees are not understood: then nothing of that kind is let through.
    static func isWithin(_ name: GeneralName, _ base: GeneralName) -> Bool? {
        switch (name, base) {
        case (.dnsName(let name), .dnsName(let base)): self.isHost(name, within: base, subdomains: true)
        case (.rfc822Name(let name), .rfc822Name(let base)): self.isMail(name, within: base)
        case (.directoryName(let name), .directoryName(let base)):
            Array(name).starts(with: Array(base))
        case (.ipAddress(let name), .ipAddress(let base)): self.isAddress(Array(name.bytes), within: Array(base.bytes))
        case (.uniformResourceIdentifier(let name), .uniformResourceIdentifier(let base)):
            self.host(of: name).map { self.isHost($0, within: base, subdomains: base.hasPrefix(".")) }
        default: nil
        }
    }

    /// - Parameter subdomains: whether names with more labels on the left are within, too.
    private static func isHost(_ name: String, within base: String, subdomains: Bool) -> Bool {
        let name = name.lowercased()
        let base = base.lowercased()
        if base.isEmpty { return true }
        if base.hasPrefix(".") { return name.hasSuffix(base) && name.count > base.count }
        return name == base || subdomains && name.hasSuffix("." + base)
    }

    /// A whole address, a host, or a domain with a leading dot.
    private static func isMail(_ name: String, within base: String) -> Bool {
        let parts = name.split(separator: "@")
        guard parts.count == 2 else { return false }
        if let at = base.firstIndex(of: "@") {
            return parts[0] == base[..<at] && parts[1].lowercased() == base[base.index(after: at)...].lowercased()
        }
        return self.isHost(String(parts[1]), within: base, subdomains: false)
    }

    /// The base is an address and a mask of the same length.
    private static func isAddress(_ name: [UInt8], within base: [UInt8]) -> Bool {
        guard base.count == name.count * 2 else { return false }
        return name.indices.allSatisfy { name[$0] & base[name.count + $0] == base[$0] & base[name.count + $0] }
    }

    private static func host(of uri: String) -> String? {
        guard let authority = uri.range(of: "://") else { return nil }
        let rest = uri[authority.upperBound...].prefix { !"/?#".contains($0) }
        let host = rest.split(separator: "@").last ?? rest
        return String(host.prefix { $0 != ":" })
    }
}

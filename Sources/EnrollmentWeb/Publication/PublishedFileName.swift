import CertificateAuthority

/// The name of a file at a publication point: `Example CA.crt`, `Example CA(1).crl`, `Example CA-shard2+.crl`, or
/// `Example CA(0-1).crt` of a link between two keys.
///
/// The number in parentheses is what the tokens `%4` (certificate) and `%8` (key) of publication URLs expand to;
/// none means 0. Shard and plus sign are `%12` and `%9`. Only `.crt` and `.crl` exist, and a name cannot leave its directory.
package struct PublishedFileName: Hashable, Sendable {
    package enum Kind: String, Sendable {
        /// A DER certificate (`application/pkix-cert`, RFC 2585, section 4.1).
        case certificate = "crt"
        /// A DER CRL (`application/pkix-crl`, RFC 2585, section 4.2).
        case crl

        package var mediaType: String {
            switch self {
            case .certificate: "application/pkix-cert"
            case .crl: "application/pkix-crl"
            }
        }
    }

    /// The whole name, as it would stand in a directory.
    package let text: String
    package let kind: Kind

    /// - Parameter text: percent-decoded.
    /// - Returns: `nil` for a name that cannot be published: empty, over 255 bytes, hidden, with a slash, a backslash or
    ///   a control character, or with another suffix.
    package init?(_ text: String) {
        guard let dot = text.lastIndex(of: "."), let kind = Kind(rawValue: text[text.index(after: dot)...].lowercased())
        else { return nil }
        guard dot != text.startIndex, !text.hasPrefix("."), text.utf8.count <= 255,
            !text.unicodeScalars.contains(where: {
                "/\\".unicodeScalars.contains($0) || $0.value < 0x20 || $0.value == 0x7F
            })
        else { return nil }
        self.text = text
        self.kind = kind
    }

    /// What of a CA a file holds.
    package struct Part: Hashable, Sendable {
        /// Of the certificate for `.crt`, of the key for `.crl`.
        package var index: Int
        /// `(0-1)` of a link certificate; the index counts for nothing then.
        var linkSuffix: String?
        /// 0 for a list without shards.
        package var shard: Int
        package var isDelta: Bool
    }

    /// What the file holds of the CA with that name; `nil` for a file of another CA.
    ///
    /// Certificates of older versions have the name as it is, with `_` for a slash, instead of the sanitised one.
    package func part(ofCA name: String) -> Part? {
        let older = String(name.map { $0 == "/" ? "_" : $0 })
        return self.part(afterStem: CAName.sanitized(name)) ?? self.part(afterStem: older)
    }

    private func part(afterStem stem: String) -> Part? {
        let base = self.text.dropLast(4)
        guard base.hasPrefix(stem),
            // Number, shard and plus sign, each of which may be missing; only CRLs have the last two.
            // `try?`: a pattern without transformations has nothing to throw.
            let match = try? /(?:\((\d{1,6})(-\d{1,6})?\))?(?:-shard(\d{1,6}))?(\+)?/
                .wholeMatch(in: base.dropFirst(stem.count))
        else { return nil }
        let part = Part(
            index: match.1.flatMap { Int($0) } ?? 0,
            linkSuffix: match.2.map { "(\(match.1 ?? "")\($0))" }, shard: match.3.flatMap { Int($0) } ?? 0,
            isDelta: match.4 != nil)
        guard self.kind == .crl ? part.linkSuffix == nil : part.shard == 0 && !part.isDelta else { return nil }
        return part
    }
}

import PKIMessages
import SwiftASN1
import X509

/// What several kinds of message have.
extension DescriptionText {
    /// One attribute of a name a line, the most specific first.
    mutating func name(_ title: String, _ name: DistinguishedName) {
        self.line("\(title):")
        self.indented { text in
            guard !name.isEmpty else { return text.line("EMPTY") }
            for part in name.reversed() { text.line(DistinguishedName([part]).description) }
        }
    }

    mutating func algorithm(_ title: String, _ oid: ASN1ObjectIdentifier, parameters: [UInt8]?) {
        self.line("\(title):")
        self.indented { text in
            text.line("Algorithm ObjectID: \(ObjectIdentifierNames.named(oid))")
            switch parameters {
            case nil: text.line("Algorithm Parameters: none")
            case [0x05, 0x00]: text.line("Algorithm Parameters: NULL")
            case let der?:
                text.line("Algorithm Parameters:")
                // `try?`: parameters that are no identifier of a curve are shown as bytes.
                if let node = try? StrictDER.node(der, what: "parameters"),
                    let oid = try? ASN1ObjectIdentifier(derEncoded: node)
                {
                    text.line(ObjectIdentifierNames.named(oid))
                } else {
                    text.dump(der)
                }
            }
        }
    }

    mutating func algorithm(_ title: String, _ identifier: AlgorithmIdentifier) {
        self.algorithm(title, identifier.algorithm, parameters: identifier.parametersDER)
    }

    mutating func publicKey(_ key: SubjectPublicKeyInfo) {
        self.algorithm("Public Key Algorithm", key.algorithm, parameters: key.parametersDER)
        self.line("Public Key Length: \(key.keySizeBits) bits")
        self.line("Public Key: UnusedBits = 0")
        self.indented { $0.dump(key.keyBits) }
    }

    mutating func keyHashes(_ key: SubjectPublicKeyInfo) {
        self.line("Key Id Hash(rfc-sha1): \(DescriptionText.octets(key.keyIdentifier))")
        self.line("Key Id Hash(sha1): \(DescriptionText.octets(Digest.sha1.hash(key.derBytes)))")
    }

    mutating func signature(_ algorithm: SignatureAlgorithmIdentifier, _ signature: [UInt8]) {
        self.algorithm("Signature Algorithm", algorithm.algorithm, parameters: algorithm.parametersDER)
        self.line("Signature: UnusedBits=0")
        self.indented { $0.dump(signature) }
    }

    /// Says whether a signature is that of a key.
    ///
    /// - Parameter subject: as "Signature".
    mutating func verdict(of key: String, _ check: () throws -> Bool) {
        do {
            self.line(try check() ? "Signature matches \(key)" : "Signature does not match \(key)")
        } catch let error as PKIMessageError where error.code == .unsupportedAlgorithm {
            self.line("Signature was not checked: its algorithm is not supported")
        } catch {
            self.line("Signature does not match \(key)")
        }
    }

    mutating func certificateExtensions(_ title: String, _ extensions: [Certificate.Extension]) {
        self.line("\(title): \(extensions.count)")
        self.indented { text in
            for item in extensions { text.describe(item) }
        }
    }

    /// A value that a definition tells how to read. What does not follow the definition is shown as bytes.
    mutating func value(
        _ der: [UInt8], what: String, _ read: (ASN1Node, inout DescriptionText) throws -> Void
    ) {
        var attempt = self
        do {
            let node = try StrictDER.node(der, what: what)
            try StrictDER.wrapping(what) { try read(node, &attempt) }
            self = attempt
        } catch {
            self.line("Malformed: \((error as? PKIMessageError)?.reason ?? "\(error)")")
            self.dump(der)
        }
    }
}

import Crypto
import Diagnostics
import Foundation
import PKIMessages
import SQLiteStorage
import SwiftASN1
import TestSupport
import Testing
import X509

@testable import CertificateAuthority

/// One bad certificate for each finding.
@Suite struct LintTests {
    /// A to-be-signed certificate in parts that can be spoilt one by one.
    struct Draft: Sendable {
        var version: Int? = 2
        var serial: [UInt8] = [0x11, 0x22]
        var issuer = "CN=Example CA"
        var notBefore: [UInt8] = Draft.utc("251101000000Z")
        var notAfter: [UInt8] = Draft.utc("261101000000Z")
        var subject = "CN=www.example.test"
        var key: [UInt8]
        var extensions: [Certificate.Extension]

        static func utc(_ text: String) -> [UInt8] { [0x17, UInt8(text.utf8.count)] + Array(text.utf8) }
        static func generalized(_ text: String) -> [UInt8] { [0x18, UInt8(text.utf8.count)] + Array(text.utf8) }

        init() throws {
            self.key = Array(P256.Signing.PrivateKey().publicKey.derRepresentation)
            self.extensions = [
                try ExtensionEncoding.authorityKeyIdentifier([1, 2, 3]),
                try ExtensionEncoding.subjectKeyIdentifier([4, 5, 6]),
                try ExtensionEncoding.keyUsage(KeyUsage(digitalSignature: true)),
            ]
        }

        func derEncoded() throws -> [UInt8] {
            try StrictDER.serialize { coder in
                try coder.appendConstructedNode(identifier: .sequence) { coder in
                    if let version {
                        try coder.serialize(version, explicitlyTaggedWithTagNumber: 0, tagClass: .contextSpecific)
                    }
                    coder.appendPrimitiveNode(identifier: .integer) { $0.append(contentsOf: self.serial) }
                    coder.serializeRawBytes(SignatureAlgorithmIdentifier.ecdsaWithSHA256.derBytes)
                    try coder.serialize(DistinguishedNameText.parse(self.issuer))
                    coder.appendConstructedNode(identifier: .sequence) { coder in
                        coder.serializeRawBytes(self.notBefore)
                        coder.serializeRawBytes(self.notAfter)
                    }
                    try coder.serialize(DistinguishedNameText.parse(self.subject))
                    coder.serializeRawBytes(self.key)
                    guard !self.extensions.isEmpty else { return }
                    try coder.serialize(explicitlyTaggedWithTagNumber: 3, tagClass: .contextSpecific) { coder in
                        try coder.serializeSequenceOf(self.extensions)
                    }
                }
            }
        }

        mutating func add(_ more: Certificate.Extension) {
            self.extensions.removeAll { $0.oid == more.oid }
            self.extensions.append(more)
        }

        mutating func names(_ names: GeneralName..., critical: Bool = false) throws {
            self.add(try ExtensionEncoding.subjectAlternativeName(names, critical: critical))
        }

        mutating func becomeCA(pathLength: Int? = nil) throws {
            self.add(try ExtensionEncoding.basicConstraints(isCA: true, pathLength: pathLength))
            self.add(try ExtensionEncoding.keyUsage(KeyUsage(keyCertSign: true)))
        }

        mutating func rsa(_ modulus: [UInt8], exponent: [UInt8] = [1, 0, 1]) throws {
            self.key = try SubjectPublicKeyInfo(rsa: RSAPublicKey(modulus: modulus, publicExponent: exponent)).derBytes
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var id: String
        var spoil: @Sendable (inout Draft) throws -> Void

        init(_ id: String, _ spoil: @escaping @Sendable (inout Draft) throws -> Void) {
            self.id = id
            self.spoil = spoil
        }

        var testDescription: String { self.id }
    }

    static let constraints = Certificate.Extension(oid: [2, 5, 29, 30], critical: true, value: [0x30, 0x00])

    static let shape: [Case] = [
        Case("version-not-3") {
            $0.version = 1
            $0.extensions = []
        },
        Case("serial-too-long") { $0.serial = [UInt8](repeating: 0x11, count: 21) },
        Case("not-der") { $0.serial = [0x81] }, Case("serial-not-positive") { $0.serial = [0] },
        Case("time-encoding") { $0.notAfter = Draft.generalized("20261101000000Z") },
        Case("validity-reversed") { $0.notAfter = Draft.utc("241101000000Z") },
        Case("issuer-empty") { $0.issuer = "" }, Case("no-extensions") { $0.extensions = [] },
        Case("not-der") { $0.notAfter = Draft.utc("261301000000Z") },
        Case("not-der") { $0.extensions.append($0.extensions[0]) },
        Case("extension-critical") { $0.extensions[0].critical = true },
        Case("extension-not-critical") {
            try $0.becomeCA()
            $0.add(Certificate.Extension(oid: [2, 5, 29, 36], critical: false, value: [0x30, 0x00]))
        },
        Case("extension-only-in-ca") { $0.add(constraints) },
        Case("basic-constraints-not-critical") {
            try $0.becomeCA()
            $0.add(try ExtensionEncoding.basicConstraints(isCA: true, critical: false))
        },
        Case("key-usage-not-critical") { $0.extensions[2].critical = false },
        Case("no-authority-key-identifier") { $0.extensions.remove(at: 0) },
        Case("no-subject-key-identifier") {
            try $0.becomeCA()
            $0.extensions.removeAll { $0.oid == OID.subjectKeyIdentifier }
        },
        Case("ca-without-subject") {
            try $0.becomeCA()
            $0.subject = ""
        },
        Case("ca-without-key-cert-sign") {
            try $0.becomeCA()
            $0.add(try ExtensionEncoding.keyUsage(KeyUsage(digitalSignature: true)))
        },
        Case("key-cert-sign-without-ca") { $0.add(try ExtensionEncoding.keyUsage(KeyUsage(keyCertSign: true))) },
        Case("key-usage-empty") {
            $0.add(Certificate.Extension(oid: OID.keyUsage, critical: true, value: [3, 1, 0]))
        },
        Case("key-usage-for-other-key") { $0.add(try ExtensionEncoding.keyUsage(KeyUsage(keyEncipherment: true))) },
        Case("extended-key-usage-twice") {
            $0.add(try ExtensionEncoding.extendedKeyUsage([OID.serverAuth, OID.serverAuth]))
        },
        Case("any-purpose-critical") {
            $0.add(try ExtensionEncoding.extendedKeyUsage([[2, 5, 29, 37, 0]], critical: true))
        },
        Case("certificate-policy-twice") {
            $0.add(try ExtensionEncoding.certificatePolicies([[1, 2, 3], [1, 2, 3]]))
        },
    ]

    static let names: [Case] = [
        Case("empty-subject") { $0.subject = "" },
        Case("empty-subject") {
            $0.subject = ""
            try $0.names(.dnsName("a.test"))
        },
        Case("alternative-names-critical") { try $0.names(.dnsName("a.test"), critical: true) },
        // As DER, because the reader of texts refuses such names itself.
        Case("subject-value-too-long") { $0.subject = "CN=#" + LintTests.utf8(String(repeating: "x", count: 65)) },
        Case("subject-value-empty") { $0.subject = "CN=#0c00" },
        Case("country-not-two-letters") { $0.subject = "CN=a,C=#" + LintTests.utf8("deu") },
        Case("country-not-two-letters") { $0.subject = "CN=a,C=de" },
        Case("subject-control-character") { $0.subject = "CN=a\\07b" },
        // A BMPString, as old Windows clients write.
        Case("subject-old-encoding") { $0.subject = "CN=#1e020041" },
        Case("dns-name-malformed") { try $0.names(.dnsName("")) },
        Case("dns-name-malformed") { try $0.names(.dnsName("a..test")) },
        Case("dns-name-malformed") { try $0.names(.dnsName("a b.test")) },
        Case("dns-name-malformed") { try $0.names(.dnsName("a.*.test")) },
        Case("dns-name-malformed") { try $0.names(.dnsName("-a.test")) },
        Case("dns-name-malformed") { try $0.names(.dnsName(String(repeating: "x", count: 64) + ".test")) },
        Case("dns-name-underscore") { try $0.names(.dnsName("a_b.test")) },
        Case("mail-address-malformed") { try $0.names(.rfc822Name("alice")) },
        Case("ip-address-length") { try $0.names(.ipAddress(ASN1OctetString(contentBytes: [1, 2, 3]))) },
        Case("uri-malformed") { try $0.names(.uniformResourceIdentifier("no uri")) },
    ]

    /// The DER of a UTF8String, in hexadecimal.
    static func utf8(_ text: String) -> String {
        Hexadecimal.lower([0x0C, UInt8(text.utf8.count)] + Array(text.utf8))
    }

    /// A sound 2048-bit modulus, as large as the limits of the other tests need.
    static let soundModulus: [UInt8] = {
        // `try?`: a test that has no modulus fails.
        (try? Requester(.rsa(bits: 2048)).subjectPublicKeyInfo.rsaPublicKey?.modulus) ?? []
    }()

    static let keys: [Case] = [
        Case("rsa-exponent-too-small") { try $0.rsa(soundModulus, exponent: [3]) },
        Case("rsa-modulus-size") { try $0.rsa([0x01] + soundModulus) },
        // 3 * (2^2047 + ...): all ones are divisible by 3.
        Case("rsa-small-factor") { try $0.rsa([UInt8](repeating: 0xFF, count: 256)) },
        // The square of a number is the product of two primes as close as can be.
        Case("rsa-close-primes") { try $0.rsa(LintTests.product(near: 0)) },
        Case("rsa-close-primes") { try $0.rsa(LintTests.product(near: 99)) },
        Case("ec-point-invalid") { $0.key[$0.key.count - 1] ^= 1 },
        Case("rsa-roca") { try $0.rsa(LintTests.power65537) },
    ]

    /// (a - d)(a + d) with a far above: factored in few steps of Fermat's method.
    static func product(near distance: UInt64) -> [UInt8] {
        // a = 2^1023 + 1, odd; (a - 2d)(a + 2d) = a² - 4d².
        var limbs = [UInt64](repeating: 0, count: 32)  // little-endian
        limbs[31] = 1 << 62  // a² = 2^2046 + 2^1024 + 1
        limbs[16] = 1
        limbs[0] = 1
        var borrow = 4 * distance * distance
        for index in 0..<32 where borrow > 0 {
            let (difference, overflow) = limbs[index].subtractingReportingOverflow(borrow)
            limbs[index] = difference
            borrow = overflow ? 1 : 0
        }
        return limbs.reversed().flatMap { limb in withUnsafeBytes(of: limb.bigEndian) { Array($0) } }
    }

    /// 65537^k, of which every residue is a power of 65537: what ROCA looks for.
    static let power65537: [UInt8] = {
        var number: [UInt8] = [1]  // little-endian octets
        for _ in 0..<127 {
            // n * 65537 = n + n * 2^16
            var next = number + [0, 0, 0]
            var carry = 0
            for index in next.indices {
                let shifted = index >= 2 && index - 2 < number.count ? Int(number[index - 2]) : 0
                let sum = Int(next[index]) + shifted + carry
                next[index] = UInt8(sum & 0xFF)
                carry = sum >> 8
            }
            while next.last == 0 { next.removeLast() }
            number = next
        }
        return number.reversed()
    }()

    private func findings(
        _ draft: Draft, settings: LintSettings = LintSettings(), chain: [CertificateFields] = [],
        weakKeys: WeakKeyList = WeakKeyList()
    ) throws -> [LintFinding] {
        try CertificateLinter(settings: settings, chain: chain, weakKeys: weakKeys).lint(
            toBeSigned: draft.derEncoded(), algorithm: .ecdsaWithSHA256)
    }

    @Test("A sound certificate has no findings, for elliptic curves and RSA")
    func sound() throws {
        var draft = try Draft()
        #expect(try self.findings(draft) == [])
        try draft.rsa(LintTests.soundModulus)
        try draft.names(.dnsName("*.example.test"), .rfc822Name("a@b.test"), .uniformResourceIdentifier("urn:x"))
        draft.notAfter = Draft.generalized("20501101000000Z")
        #expect(try self.findings(draft) == [])
    }

    @Test("Each fault of a certificate is found by its name", arguments: shape + names + keys)
    func fault(_ example: Case) throws {
        var draft = try Draft()
        try example.spoil(&draft)
        #expect(try self.findings(draft).map(\.id).contains(example.id))
    }

    @Test("A finding that is tolerated is a warning")
    func tolerated() throws {
        var draft = try Draft()
        try draft.rsa(LintTests.soundModulus, exponent: [3])
        let found = try self.findings(draft, settings: LintSettings(tolerated: ["rsa-exponent-too-small"]))
        #expect(found.map(\.severity) == [.warning])
        #expect(try self.findings(draft, settings: LintSettings(minimumRSAExponent: 3)) == [])
    }

    @Test("A key on a list in the form of openssl-blacklist is found, by 20 or by 40 digits")
    func blacklist() throws {
        var draft = try Draft()
        try draft.rsa(LintTests.soundModulus)
        let text = "Modulus=\(Hexadecimal.upper(LintTests.soundModulus))\n"
        let digits = Hexadecimal.lower(Digest.sha1.hash(Array(text.utf8)))
        for line in [String(digits.suffix(20)), digits] {
            var list = WeakKeyList()
            #expect(list.add("# a comment\n\n\(line)\r\n00112233445566778899\n") == nil)
            #expect(list.count == 2)
            #expect(try self.findings(draft, weakKeys: list).map(\.id) == ["rsa-known-weak"])
        }
        var list = WeakKeyList()
        #expect(list.add("00112233445566778899\nnothing\n") == 2)
    }

    struct Constraint: Sendable {
        var permitted: [GeneralName] = []
        var excluded: [GeneralName] = []
        var name: GeneralName
        var isAllowed: Bool
    }

    static let nameConstraints: [Constraint] = [
        Constraint(permitted: [.dnsName("example.test")], name: .dnsName("a.Example.test"), isAllowed: true),
        Constraint(permitted: [.dnsName("example.test")], name: .dnsName("badexample.test"), isAllowed: false),
        Constraint(excluded: [.dnsName("evil.test")], name: .dnsName("www.evil.test"), isAllowed: false),
        Constraint(permitted: [.rfc822Name("example.test")], name: .rfc822Name("a@example.test"), isAllowed: true),
        Constraint(permitted: [.rfc822Name("example.test")], name: .rfc822Name("a@b.example.test"), isAllowed: false),
        Constraint(permitted: [.rfc822Name(".example.test")], name: .rfc822Name("a@b.example.test"), isAllowed: true),
        Constraint(
            permitted: [.ipAddress(ASN1OctetString(contentBytes: [10, 0, 0, 0, 255, 0, 0, 0]))],
            name: .ipAddress(ASN1OctetString(contentBytes: [10, 9, 8, 7])), isAllowed: true),
        Constraint(
            permitted: [.ipAddress(ASN1OctetString(contentBytes: [10, 0, 0, 0, 255, 0, 0, 0]))],
            name: .ipAddress(ASN1OctetString(contentBytes: [11, 9, 8, 7])), isAllowed: false),
        Constraint(
            excluded: [.uniformResourceIdentifier(".evil.test")],
            name: .uniformResourceIdentifier("https://u@www.evil.test:8443/x"), isAllowed: false),
        Constraint(
            permitted: [.uniformResourceIdentifier("good.test")], name: .uniformResourceIdentifier("urn:x"),
            isAllowed: false),
        Constraint(permitted: [.dnsName("example.test")], name: .rfc822Name("a@other.test"), isAllowed: true),
    ]

    @Test("Names outside the name constraints of the chain are found", arguments: nameConstraints)
    func constraint(_ example: Constraint) throws {
        let issuer = try LintTests.authority { draft in
            draft.add(try LintTests.constraintsExtension(example.permitted, example.excluded))
        }
        var draft = try Draft()
        try draft.names(example.name)
        #expect(try self.findings(draft, chain: [issuer]).map(\.id) == (example.isAllowed ? [] : ["name-constraints"]))
    }

    @Test("Directory names are held to the constraints, and so are mail addresses in the subject")
    func directoryConstraint() throws {
        let base = try GeneralName.directoryName(DistinguishedNameText.parse("O=Example,C=DE"))
        let issuer = try LintTests.authority { draft in
            draft.add(try LintTests.constraintsExtension([base], [.rfc822Name("evil.test")]))
        }
        var draft = try Draft()
        draft.subject = "CN=a,O=Example,C=DE"
        #expect(try self.findings(draft, chain: [issuer]).isEmpty)
        draft.subject = "CN=a,O=Other,C=DE"
        #expect(try self.findings(draft, chain: [issuer]).map(\.id) == ["name-constraints"])
        draft.subject = "E=a@evil.test,O=Example,C=DE"
        #expect(try self.findings(draft, chain: [issuer]).map(\.id) == ["name-constraints"])
    }

    @Test("A CA below one whose path length is used up is found, at any distance")
    func pathLength() throws {
        let last = try LintTests.authority(pathLength: 0)
        let next = try LintTests.authority(pathLength: 1)
        let free = try LintTests.authority()
        var draft = try Draft()
        try draft.becomeCA()
        #expect(try self.findings(draft, chain: [last]).map(\.id) == ["path-length-exceeded"])
        #expect(try self.findings(draft, chain: [next]).isEmpty)
        #expect(try self.findings(draft, chain: [free, next]).map(\.id) == ["path-length-exceeded"])
        try draft.becomeCA(pathLength: 1)
        #expect(try self.findings(draft, chain: [next]).map(\.id) == ["path-length-useless"])
        #expect(try self.findings(Draft(), chain: [last]).isEmpty)
    }

    @Test("A certificate that outlives its issuer is found")
    func outlives() throws {
        let issuer = try LintTests.authority { $0.notAfter = Draft.utc("260101000000Z") }
        #expect(try self.findings(Draft(), chain: [issuer]).map(\.id) == ["outlives-issuer"])
    }

    private static func authority(
        pathLength: Int? = nil, _ change: (inout Draft) throws -> Void = { _ in }
    ) throws -> CertificateFields {
        var draft = try Draft()
        draft.issuer = "CN=Root"
        draft.notAfter = Draft.utc("451101000000Z")
        try draft.becomeCA(pathLength: pathLength)
        try change(&draft)
        return try CertificateFields(
            derEncoded: SignedObject.assemble(tbs: draft.derEncoded(), algorithm: .ecdsaWithSHA256, signature: [0]))
    }

    private static func constraintsExtension(
        _ permitted: [GeneralName], _ excluded: [GeneralName]
    ) throws -> Certificate.Extension {
        let value = try StrictDER.serialize { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                for (tag, names) in [(UInt(0), permitted), (1, excluded)] where !names.isEmpty {
                    let identifier = ASN1Identifier(tagWithNumber: tag, tagClass: .contextSpecific)
                    try coder.appendConstructedNode(identifier: identifier) { coder in
                        for name in names {
                            try coder.appendConstructedNode(identifier: .sequence) { try $0.serialize(name) }
                        }
                    }
                }
            }
        }
        return Certificate.Extension(oid: [2, 5, 29, 30], critical: true, value: value[...])
    }

    @Test("Bytes cut off or changed anywhere give findings or a clean bill, and never a crash")
    func hostile() throws {
        let linter = try CertificateLinter(chain: [LintTests.authority(pathLength: 3)])
        let bytes = try Draft().derEncoded()
        for length in 0..<bytes.count {
            let found = linter.lint(toBeSigned: Array(bytes[..<length]), algorithm: .ecdsaWithSHA256)
            #expect(found.map(\.id) == ["not-der"])
        }
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0x20
            _ = linter.lint(toBeSigned: changed, algorithm: .ecdsaWithSHA256)
        }
    }
}

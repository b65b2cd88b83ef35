import Foundation
import TestSupport
import Testing
import X509

@testable import PKIMessages

@Suite struct CertificateListTests {
    static let now = SoftwareCA.now

    static func list(_ ca: SoftwareCA, _ entries: [RevokedEntry]) throws -> CertificateListFields {
        let tbs = TBSCertList(
            signatureAlgorithm: ca.algorithm, issuerDER: ca.nameDER, thisUpdate: self.now,
            nextUpdate: self.now + 7 * SoftwareCA.day, entries: entries, number: 0x8001,
            authorityKeyIdentifier: ca.publicKey.keyIdentifier, caVersion: 0,
            nextPublish: self.now + 6 * SoftwareCA.day)
        return try CertificateListFields(derEncoded: SoftwareCA.signed(tbs.derEncoded(), ca.algorithm, with: ca.key))
    }

    static let entries: [RevokedEntry] = [
        RevokedEntry(serialNumber: [0x05], revocationDate: now - 100, reason: .keyCompromise),
        RevokedEntry(serialNumber: [0x00, 0xFF], revocationDate: now - 50, reason: nil),
        RevokedEntry(serialNumber: [0x61, 0x1E, 0x23, 0xC2], revocationDate: now, reason: .certificateHold),
    ]

    @Test(
        "A list of ours is read and verified by openssl, certtool and Python's cryptography", arguments: [true, false])
    func judges(_ hasEntries: Bool) async throws {
        let ca = try SoftwareCA()
        let list = try Self.list(ca, hasEntries ? Self.entries : [])
        let directory = try TemporaryDirectory()
        try directory.write("ca.pem", Array(TextEncoding.pem(ca.certificate.derBytes, label: "CERTIFICATE").utf8))
        try directory.write("list", list.derBytes)
        let text = try await judge(
            "openssl", "crl", "-inform", "DER", "-in", directory.path("list"), "-CAfile", directory.path("ca.pem"),
            "-noout", "-text")
        var lines = ["Version 2", "X509v3 CRL Number", "32769", "Next Update: Jan  8 00:00:00 2026 GMT"]
        lines += hasEntries ? ["Serial Number: 611E23C2", "Key Compromise", "Certificate Hold"] : ["No Revoked"]
        for line in lines {
            #expect(text.contains(line), "\(line) is not in \(text)")
        }
        try await judge("certtool", "--crl-info", "--inder", "--infile", directory.path("list"))
        let python = try await judge(
            "python3", "-c",
            """
            import sys; from cryptography import x509
            c = x509.load_der_x509_crl(open(sys.argv[1], 'rb').read())
            ca = x509.load_pem_x509_certificate(open(sys.argv[2], 'rb').read())
            print(c.is_signature_valid(ca.public_key()), [hex(e.serial_number) for e in c], len(list(c.extensions)))
            """, directory.path("list"), directory.path("ca.pem"))
        #expect(python == "True \(hasEntries ? "['0x5', '0xff', '0x611e23c2']" : "[]") 4\n")
    }

    @Test("openssl refuses a certificate that the list names, and takes one that it does not name")
    func revocation() async throws {
        let ca = try SoftwareCA()
        let revoked = try ca.issue(key: ca.publicKey, serialNumber: [0x61, 0x1E, 0x23, 0xC2])
        let good = try ca.issue(key: ca.publicKey, serialNumber: [0x61, 0x1E, 0x23, 0xC3])
        let directory = try TemporaryDirectory()
        let files: [(String, [UInt8], String)] = try [
            ("ca", ca.certificate.derBytes, "CERTIFICATE"), ("revoked", revoked.derBytes, "CERTIFICATE"),
            ("good", good.derBytes, "CERTIFICATE"), ("crl", Self.list(ca, Self.entries).derBytes, "X509 CRL"),
        ]
        for (name, der, label) in files {
            try directory.write(name, Array(TextEncoding.pem(der, label: label).utf8))
        }
        let verify = [
            "openssl", "verify", "-attime", "1767225600", "-crl_check", "-CAfile", directory.path("ca"), "-CRLfile",
            directory.path("crl"),
        ]
        let accepted = try await run(verify + [directory.path("good")])
        #expect(accepted.status == 0)
        let refused = try await run(verify + [directory.path("revoked")])
        #expect(refused.status != 0 && refused.stderr.contains("certificate revoked"))
    }

    @Test("What was written is read back, field by field")
    func fields() throws {
        let ca = try SoftwareCA()
        let list = try Self.list(ca, Self.entries)
        #expect(list.entries == Self.entries)
        #expect(list.number == 0x8001)
        #expect(list.issuerDER == ca.nameDER)
        #expect(list.thisUpdate == Self.now && list.nextUpdate == Self.now + 7 * SoftwareCA.day)
        #expect(list.authorityKeyIdentifier == ca.publicKey.keyIdentifier)
        #expect(list.isSigned(by: ca.publicKey))
        #expect(try !list.isSigned(by: SoftwareCA().publicKey))
        #expect(list.entry(serialNumber: [0x05])?.reason == .keyCompromise)
        #expect(list.entry(serialNumber: [0x06]) == nil)
        #expect(
            list.extensions.map(\.oid) == [
                OID.authorityKeyIdentifier, OID.crlNumber, OID.msCAVersion, OID.msNextPublish,
            ])
    }

    @Test("The number of a list is found in its last bytes, and in no other bytes")
    func numberInTail() throws {
        let bytes = try Self.list(SoftwareCA(), Self.entries).derBytes
        #expect(CRLNumberScan.number(inTail: Array(bytes.suffix(300))) == 0x8001)
        for count in 0..<40 { #expect(CRLNumberScan.number(inTail: Array(bytes.prefix(count))) == nil) }
    }

    @Test("The reason unspecified is written like no reason at all")
    func unspecified() throws {
        let ca = try SoftwareCA()
        let entry = RevokedEntry(serialNumber: [5], revocationDate: Self.now, reason: .unspecified)
        #expect(try Self.list(ca, [entry]).entries.first?.reason == nil)
    }

    @Test("The bytes of a list grow by the same number for every entry")
    func linear() throws {
        let ca = try SoftwareCA()
        func bytes(_ count: Int) throws -> Int {
            let entries = (0..<count).map { index in
                RevokedEntry(
                    serialNumber: [0x61] + withUnsafeBytes(of: UInt32(index).bigEndian) { Array($0) },
                    revocationDate: Self.now, reason: .superseded)
            }
            return try TBSCertList(
                signatureAlgorithm: ca.algorithm, issuerDER: ca.nameDER, thisUpdate: Self.now,
                nextUpdate: Self.now, entries: entries, number: 1, authorityKeyIdentifier: [1]
            ).derEncoded().count
        }
        #expect(try bytes(4000) - bytes(3000) == 1000 * 38)
    }

    @Test("Reasons are known by name and by number")
    func reasons() {
        #expect(CRLReason(name: "keycompromise") == .keyCompromise)
        #expect(CRLReason(name: "5") == .cessationOfOperation)
        #expect(CRLReason(name: "7") == nil)
        #expect(CRLReason(name: "lost") == nil)
        #expect(CRLReason.cACompromise.name == "cACompromise")
    }

    @Test("No truncation and no flipped bit of a list crashes; every error is the module's own")
    func damage() throws {
        let ca = try SoftwareCA()
        let list = try Self.list(ca, Self.entries)
        for damaged in list.derBytes.damaged {
            do {
                let read = try CertificateListFields(derEncoded: damaged)
                #expect(!read.isSigned(by: ca.publicKey))
            } catch {
                #expect(error is PKIMessageError)
            }
        }
    }
}

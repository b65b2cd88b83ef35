import PKIMessages
import SwiftASN1
import X509

/// The basic fields (RFC 5280, section 4.1). DER itself, minimal integers and duplicate extensions are refused by the
/// parser.
struct CertificateShapeLint {
    private(set) var findings: [LintFinding] = []

    init(_ fields: CertificateFields) {
        if fields.version != 2 {
            self.add("version-not-3", "a certificate with extensions is of version 3 (RFC 5280, 4.1.2.1)")
        }
        let serial = fields.serialNumber
        if serial.count > 20 { self.add("serial-too-long", "the serial number has more than 20 octets") }
        // A negative one is refused by the parser.
        if serial.allSatisfy({ $0 == 0 }) {
            self.add("serial-not-positive", "the serial number is not positive")
        }
        if !fields.hasTimesEncodedByYear {
            self.add("time-encoding", "times are UTCTime until 2049 and GeneralizedTime from 2050 on")
        }
        if fields.notBefore >= fields.notAfter {
            self.add("validity-reversed", "the validity ends before it begins")
        }
        if fields.issuerDER == [0x30, 0x00] { self.add("issuer-empty", "the issuer has no name") }
        if fields.extensions.isEmpty { self.add("no-extensions", "the certificate has no extensions") }
    }

    private mutating func add(_ id: String, _ text: String) {
        self.findings.append(LintFinding(id, .error, .conformity, text))
    }
}

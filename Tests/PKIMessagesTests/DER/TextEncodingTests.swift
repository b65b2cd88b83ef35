import Diagnostics
import Testing

@testable import PKIMessages

@Suite struct TextEncodingTests {
    static let der: [UInt8] = [0x30, 0x81, 0x80] + (0..<128).map { UInt8($0) }
    static let pem = TextEncoding.pem(der, label: "NEW CERTIFICATE REQUEST")
    static var body: String { pem.split(separator: "\n").dropFirst().dropLast().joined(separator: "\n") }

    @Test("PEM has lines of 64 characters and reads back")
    func roundTrip() throws {
        #expect(Self.pem.split(separator: "\n").dropLast(2).dropFirst().allSatisfy { $0.utf8.count == 64 })
        #expect(try TextEncoding.decode(Self.pem, what: "request") == Self.der)
    }

    @Test(
        "The named tolerances are taken",
        arguments: [
            pem.replacing("\n", with: "\r\n"),
            pem.replacing("\n", with: "\r"),
            pem.replacing("\n", with: " "),
            "-----BEGIN X-----" + body + "-----END X-----",
            "subject=CN=x\n" + pem + "trailing words\n",
            body,
            body.replacing("\n", with: ""),
            "\r\n " + body + "\t\r\n",
        ])
    func tolerances(_ text: String) throws {
        #expect(try TextEncoding.decode(text, what: "request") == Self.der)
        #expect(try TextEncoding.decode(Array(text.utf8), what: "request") == Self.der)
    }

    @Test("DER is passed through as it is")
    func passThrough() throws {
        #expect(try TextEncoding.decode(Self.der, what: "request") == Self.der)
        #expect(try TextEncoding.decode([0x30, 0x03, 0x02, 0x01, 0x41], what: "x") == [0x30, 0x03, 0x02, 0x01, 0x41])
    }

    static let refused: [(text: String, code: PKIMessageError.Code)] = [
        ("", .malformed),
        ("-----BEGIN X-----\n\(body)", .malformed),
        ("-----BEGIN X-----\n\(body)\n-----END Y-----", .malformed),
        ("-----BEGIN X\(body)", .malformed),
        ("\(body)\n-----END X-----", .malformed),
        ("-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\(body)\n-----END X-----", .malformed),
        ("-----BEGIN X-----\n-----END X-----", .malformed),
        ("\(body)!", .malformed),
        ("MIIB\u{E4}", .malformed),
        ("\(pem)\(pem)", .trailingBytes),
    ]

    @Test("Everything else is refused", arguments: refused)
    func refusals(_ sample: (text: String, code: PKIMessageError.Code)) {
        #expect(throws: PKIMessageError(code: sample.code, what: "", reason: "", hresult: .invalidData, advice: [])) {
            try TextEncoding.decode(Array(sample.text.utf8), what: "request")
        }
    }
}

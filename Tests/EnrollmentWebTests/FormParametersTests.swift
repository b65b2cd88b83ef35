import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import EnrollmentWeb

@Suite("Forms, escapes and dates")
struct FormParametersTests {
    private static let vector = Array(
        "Mode=newreq&CertRequest=MII%2Bab%3D%0D%0A&CertAttrib=CertificateTemplate%3AWeb+Server&C&SaveCert=".utf8)

    @Test("A plus sign is a blank, %2B a plus sign, and names have no case")
    func decoding() throws {
        let form = try FormParameters(urlEncoded: Self.vector)
        #expect(form["certrequest"] == "MII+ab=\r\n")
        #expect(form["CERTATTRIB"] == "CertificateTemplate:Web Server")
        #expect(form["C"] == "" && form["savecert"] == "" && form["other"] == nil)
        #expect(try FormParameters(query: nil) == FormParameters(urlEncoded: []))
        #expect(try FormParameters(query: "a=%C3%A4&&b=1=2")["a"] == "ä")
        #expect(try FormParameters(query: "b=1=2")["b"] == "1=2")
    }

    @Test(
        "What is not a form is refused",
        arguments: ["a=%", "a=%4", "a=%zz", "a=%FF", "a=%00", "=1", "a=1&A=2", "%FF=1"])
    func malformed(_ text: String) {
        #expect(throws: EnrollmentWebError.malformedForm("")) { try FormParameters(query: text) }
    }

    @Test("Too many fields are refused")
    func tooMany() throws {
        let fields = (0...FormParameters.maximumFields).map { "f\($0)=" }
        #expect(throws: EnrollmentWebError.malformedForm("")) {
            try FormParameters(query: fields.joined(separator: "&"))
        }
        #expect(try FormParameters(query: fields.dropLast().joined(separator: "&"))["f63"] == "")
    }

    @Test("A form that is cut off or has a wrong byte is read or refused, and nothing else happens")
    func sweep() {
        let vector = Self.vector
        let variants =
            vector.indices.map { Array(vector[..<$0]) }
            + vector.indices.flatMap { index in
                [0x01, 0x80, 0xFF].map { (flip: UInt8) in
                    var changed = vector
                    changed[index] ^= flip
                    return changed
                }
            }
        for variant in variants {
            do {
                _ = try FormParameters(urlEncoded: variant)
            } catch {
                #expect(error == .malformedForm(""))
            }
        }
    }

    @Test("Text in HTML is escaped, control characters are blanks, fragments stay as they are")
    func escaping() {
        let value = "<a href=\"x\" id='y'>&\t\r\n\u{0}\u{85}ä"
        let html: HTML = "<p title=\"\(value)\">\(HTML(text: "&"))\(7)</p>"
        #expect(
            html.source
                == "<p title=\"&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;     ä\">&amp;7</p>")
    }

    @Test(
        "Codes are printed as Windows prints them",
        arguments: [
            (HRESULT.ok, "0x0 (WIN32: 0)"), (.propertyEmpty, "0x80094004 (-2146877436 CERTSRV_E_PROPERTY_EMPTY)"),
            (.invalidParameter, "0x80070057 (WIN32: 87)"),
            (HRESULT(rawValue: 0x8009_4FFE), "0x80094ffe (-2146873346 UNKNOWN)"),
        ])
    func codes(_ code: HRESULT, _ text: String) {
        #expect(code.windowsCode == text)
    }

    @Test(
        "HTTP dates are in GMT with English names",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
        ])
    func dates(_ seconds: Int, _ text: String) {
        #expect(HTTPDate.text(Date(timeIntervalSince1970: TimeInterval(seconds))) == text)
    }

    @Test("Credentials and names of published files that are damaged are read or not, and never leave their place")
    func credentialsAndNames() throws {
        for damaged in Array("Basic YWxpY2U6cGFzc3dvcmQ=".utf8).damaged {
            guard let read = try BasicCredentials(authorization: String(decoding: damaged, as: UTF8.self)) else {
                continue
            }
            #expect(!read.user.isEmpty && !read.user.contains(":"))
        }
        for damaged in Array("Example CA(1)-shard2+.crl".utf8).damaged {
            guard let name = PublishedFileName(String(decoding: damaged, as: UTF8.self)) else { continue }
            #expect(!name.text.contains("/") && !name.text.contains("\\") && !name.text.hasPrefix("."))
            if let part = name.part(ofCA: "Example CA") { #expect(part.index >= 0 && part.shard >= 0) }
        }
    }
}

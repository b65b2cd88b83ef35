import CertificateAuthority
import Diagnostics
import Foundation
import Testing

@testable import CAService

@Suite("Answers of an enrolment service")
struct EnrollmentAnswerTests {
    private static let plain = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello"
    private static let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;note=x\r\nlo\r\n0\r\nTrailer: x\r\n\r\n"

    @Test("A body is taken by its length and by chunks", arguments: [plain, chunked])
    func body(text: String) throws {
        let answer = try HTTPAnswer(Array(text.utf8))
        #expect(answer.status == 200)
        #expect(answer.body == Array("hello".utf8))
    }

    @Test("An answer that is cut off anywhere is refused; a flipped bit never gives more than was sent")
    func damaged() throws {
        for text in [Self.plain, Self.chunked] {
            let bytes = Array(text.utf8)
            // After the last chunk nothing of the body is missing.
            let whole = text == Self.plain ? bytes.count : text.utf8.count - Array("Trailer: x\r\n\r\n".utf8).count
            for count in 0..<whole {
                #expect(throws: HTTPFailure.self) { try HTTPAnswer(Array(bytes[..<count])) }
            }
            for index in bytes.indices {
                for bit in 0..<8 {
                    var damaged = bytes
                    damaged[index] ^= 1 << bit
                    // `try?`: most are refused; what is taken is no longer than what came.
                    if let answer = try? HTTPAnswer(damaged) { #expect(answer.body.count <= bytes.count) }
                }
            }
        }
    }

    @Test(
        "What is no answer is refused",
        arguments: [
            "", "HTTP/1.1 200 OK\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 99 X\r\n\r\n",
            "HTTP/1.1 200 OK\r\nbad\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        ])
    func refused(text: String) {
        #expect(throws: HTTPFailure.self) { try HTTPAnswer(Array(text.utf8)) }
    }

    @Test(
        "An address needs a scheme and a host, and holds no user",
        arguments: [
            "", "ca.example.test", "ftp://ca.example.test", "https://", "https://alice@ca.example.test/certsrv",
            "https://ca.example.test/certsrv?x=1",
        ])
    func address(text: String) {
        #expect(throws: ServiceError.self) { try HTTPAddress(text) }
    }

    @Test("Scheme, host, port and path are told apart")
    func addressParts() throws {
        let address = try HTTPAddress("https://ca.example.test:8443/certsrv/")
        #expect(address.isTLS && address.port == 8443 && address.path == "/certsrv")
        #expect(address.authority == "ca.example.test:8443")
        #expect(try HTTPAddress("http://[::1]/x").host == "::1")
        #expect(try HTTPAddress("https://ca.example.test").port == 443)
    }

    @Test("Pages say what became of a request, with number and code")
    func pages() throws {
        let issued = try CertsrvPage(
            "<p>Your Request Id is 7.</p><a href=\"certnew.cer?ReqID=7&amp;Enc=b64\">x</a>\nvar sPKCS7=\"MAA=\";")
        #expect(issued.disposition == .issued && issued.requestID == 7)
        #expect(issued.fullResponse == [0x30, 0x00])
        let pending = try CertsrvPage("<h1>Certificate Pending</h1><p>Your Request Id is 12.</p>")
        #expect(pending.disposition == .pending && pending.requestID == 12)
        let denied = try CertsrvPage(
            "<h1>Certificate Request Denied</h1>Your Request Id is 9. The disposition message is "
                + "\"Denied by Policy Module  0x80094800, a &lt;b&gt;\"")
        #expect(denied.disposition == .denied && denied.requestID == 9)
        #expect(denied.statusCode == HRESULT(rawValue: 0x8009_4800))
        #expect(denied.message == "Denied by Policy Module  0x80094800, a <b>")
        let error = try CertsrvPage(
            "<DT ID=locRequestIDLabel>Request Id:</DT>\n<DD>\n\t\t(none)\n</DD>"
                + "<DT ID=locDispMsgLabel>Disposition message:</DT>\n<DD>\n\t\tOops\n</DD>"
                + "<DT ID=locResultLabel>Result:</DT>\n<DD>\n\t\tThe data is invalid. 0x8007000d (WIN32: 13)\n</DD>")
        #expect(error.disposition == .error && error.requestID == nil && error.message == "Oops")
        #expect(error.statusCode == .invalidData)
        #expect(throws: ServiceError.self) { try CertsrvPage("<html>It works!</html>") }
    }
}

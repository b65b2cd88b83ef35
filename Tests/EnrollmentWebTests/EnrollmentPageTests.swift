import CertificateAuthority
import Foundation
import HTTPTypes
import Testing

@testable import EnrollmentWeb

/// The patterns are those with which certsrv, certipy and impacket read the pages.
@Suite("Pages of certfnsh.asp")
struct EnrollmentPageTests {
    @Test("An issued page gives the request's number to every client's pattern")
    func issued() async throws {
        let front = try await WebFront()
        let answer = try await front.enroll("WebServer")
        #expect(answer.status == 200)
        #expect(answer.contentType == "text/html; charset=utf-8")
        #expect(answer.text.contains("The certificate you requested was issued to you."))
        #expect(answer.text.firstMatch(of: /certnew.cer\?ReqID=(\d+)&/)?.1 == "41")
        #expect(answer.text.firstMatch(of: /location="certnew.cer\?ReqID=(.*?)&/)?.1 == "41")
        #expect(answer.text.contains("<a href=\"certnew.cer?ReqID=41&amp;Enc=b64\">"))
        #expect(answer.text.contains("location=\"certnew.cer?ReqID=41&Enc=b64\""))
        #expect(answer.text.contains("<a href=\"certnew.p7b?ReqID=41&amp;Enc=b64\">"))
        #expect(!answer.text.contains("sPKCS7"))
        #expect(!answer.text.contains("Certificate Pending") && !answer.text.contains("disposition message"))
        #expect(answer.headers[.cacheControl] == "no-store")
    }

    @Test("The authority gets the request and its attributes byte for byte, and the authenticated caller")
    func submission() async throws {
        let front = try await WebFront()
        let request = front.pki.requestPEM.replacing("\n", with: "\r\n")
        #expect(request.contains("+") || request.contains("/"))
        _ = try await front.post([
            ("MODE", "NewReq"), ("certrequest", request),
            ("CERTATTRIB", "CertificateTemplate:WebServer\r\nSAN:dns=a&upn=b@c\r\n"),
            ("ThumbPrint", ""), ("CertificateTemplate", "ignored"),
        ])
        let submission = try #require(front.authority.submissions.first)
        #expect(submission.requestBytes == Array(request.utf8))
        #expect(submission.attributes == "CertificateTemplate:WebServer\r\nSAN:dns=a&upn=b@c\r\n")
        #expect(submission.caller.name == "alice")
        #expect(submission.wantsFullResponse == false)
    }

    @Test("The full response to a CMC request stands in the script variable sPKCS7")
    func fullResponse() async throws {
        let answer = try await WebFront().enroll("User")
        #expect(answer.text.firstMatch(of: /sPKCS7="([A-Za-z0-9+\/=]+)"/)?.1 == "MAMCAfs=")
        #expect(answer.text.firstMatch(of: /certnew.cer\?ReqID=([0-9]+)&/)?.1 == "41")
    }

    @Test("A pending page has heading, sentence and number, and nothing that looks like an issued one")
    func pending() async throws {
        let answer = try await WebFront().enroll("KeyRecoveryAgent")
        #expect(answer.status == 200)
        #expect(answer.text.contains("Certificate Pending"))
        #expect(
            answer.text.contains(
                "Your certificate request has been received. However, you must wait for an administrator to issue "
                    + "the certificate you requested."))
        #expect(answer.text.firstMatch(of: /Your Request Id is (\d+)./)?.1 == "41")
        #expect(!answer.text.contains("certnew.cer"))
    }

    @Test("A denied page has the disposition message with the code, in quotes, for every client's pattern")
    func denied() async throws {
        let answer = try await WebFront().enroll("No\"such<b>")
        #expect(answer.status == 200)
        #expect(answer.text.contains("Certificate Request Denied"))
        let message = try #require(answer.text.firstMatch(of: /The disposition message is "([^"]+)/)?.1)
        #expect(message.hasPrefix("Denied by Policy Module  0x80094800, The request was for a certificate template "))
        #expect(message.hasSuffix("policy: No&quot;such&lt;b&gt;."))
        #expect(answer.text.firstMatch(of: /Denied by Policy Module  (0x[0-9a-fA-F]+),/)?.1 == "0x80094800")
        #expect(answer.text.contains("template that is not supported"))
        #expect(
            !answer.text.contains("certnew.cer") && !answer.text.contains("<b>\"") && !answer.text.contains("such<b>"))
    }

    @Test("A failed request gets the error page with its number; facts of the failure go to the log only")
    func failed() async throws {
        let front = try await WebFront()
        let answer = try await front.enroll("Broken")
        #expect(answer.status == 200)
        #expect(answer.text.contains("newreq - New Request"))
        #expect(answer.text.firstMatch(of: /Disposition message:[^\t]+\t\t([^\r\n]+)/)?.1 == "Error Parsing Request")
        #expect(
            answer.text.firstMatch(of: /LastStatus:[^\t]+\t\t([^\r\n]+)/)?.1.contains("0x8007000d (WIN32: 13)") == true)
        #expect(answer.text.contains("41"))
        #expect(!answer.text.contains("HSM") && !answer.text.contains("slot"))
        #expect(front.log.lines.last?.contains("HSM-SERIAL-4711") == true)
    }

    @Test(
        "A key that cannot be archived gets the page of Certificate Services, with text and code",
        arguments: [
            (
                "NoAgent",
                "Cannot archive private key. The certification authority is not configured for key archival. 0x8009400a "
                    + "(-2146877430 CERTSRV_E_KEY_ARCHIVAL_NOT_CONFIGURED)"
            ),
            (
                "BadAgent",
                "Cannot archive private key. No valid key recovery agent is defined for this certification authority. "
                    + "0x8009400b (-2146877429 CERTSRV_E_NO_VALID_KRA)"
            ),
        ])
    func archivalRefused(_ template: String, _ text: String) async throws {
        let page = try await WebFront().enroll(template).text
        #expect(page.contains("Your request failed. An error occurred while the server was processing your request."))
        #expect(page.contains("Contact your administrator for further assistance."))
        for (label, value) in [
            ("Request Mode", "newreq - New Request"), ("Disposition message", "Error Archiving Private Key"),
            ("Result", text), ("COM Error Info", "CCertRequest::Submit " + text), ("LastStatus", text),
        ] {
            #expect(page.contains("\(label):</DT>\n<DD>\n\t\t\(value)\n"), "\(label)")
        }
        #expect(page.contains("No suggestions."))
    }

    @Test("A fault of the authority is status 500 with code and reference, and no fact of the token")
    func fault() async throws {
        let front = try await WebFront()
        let answer = try await front.enroll("Fault")
        #expect(answer.status == 500)
        #expect(answer.text.contains(" 0x80090020 (-2146893792 NTE_FAIL)"))
        #expect(answer.text.contains("reference-1"))
        #expect(!answer.text.contains("HSM") && !answer.text.contains("/var/secret") && !answer.text.contains("slot 9"))
        let line = try #require(front.log.lines.last)
        #expect(line.hasPrefix("error request ") && line.contains("reference-1") && line.contains("HSM-SERIAL-4711"))
    }

    @Test("chkpnd tells what became of a request")
    func checkPending() async throws {
        let front = try await WebFront()
        _ = try await front.enroll("KeyRecoveryAgent")
        _ = try await front.enroll("WebServer")
        _ = try await front.enroll("None")
        let pending = try await front.post([("Mode", "chkpnd"), ("ReqID", "41"), ("TargetStoreFlags", "0")])
        #expect(pending.text.contains("still pending") && pending.text.contains("Certificate Pending"))
        #expect(pending.text.firstMatch(of: /Your Request Id is (\d+)./)?.1 == "41")
        let issued = try await front.post([("Mode", "chkpnd"), ("ReqID", "42")])
        #expect(issued.text.firstMatch(of: /certnew.cer\?ReqID=(\d+)&/)?.1 == "42")
        let denied = try await front.post([("Mode", "chkpnd"), ("ReqID", "43")])
        #expect(denied.text.contains("Certificate Request Denied"))
        let unknown = try await front.post([("Mode", "chkpnd"), ("ReqID", "99")])
        #expect(unknown.text.contains("The requested property value is empty."))
        #expect(unknown.text.contains("chkpnd - Check Pending") && unknown.text.contains("\t\t99\n"))
    }

    @Test(
        "A parameter that is missing or wrong is refused with 400 and 0x80070057",
        arguments: [
            [("CertRequest", "x")], [("Mode", "newreq")], [("Mode", "newreq"), ("CertRequest", "")],
            [("Mode", "other"), ("CertRequest", "x")], [("Mode", "chkpnd")], [("Mode", "chkpnd"), ("ReqID", "-1")],
            [("Mode", "chkpnd"), ("ReqID", "0")], [("Mode", "chkpnd"), ("ReqID", "1e3")],
            [("Mode", "chkpnd"), ("ReqID", "9999999999999999999")], [("Mode", "newreq"), ("mode", "newreq")],
        ])
    func badParameters(_ fields: [(String, String)]) async throws {
        let answer = try await WebFront().post(fields)
        #expect(answer.status == 400)
        #expect(answer.text.contains("0x80070057 (WIN32: 87)"))
    }

    @Test("A form over the limit is refused with 413, whether its length is announced or not")
    func oversize() async throws {
        let front = try await WebFront()
        let fields = [("Mode", "newreq"), ("CertRequest", String(repeating: "A", count: 256 << 10))]
        #expect(try await front.post(fields).status == 413)
        let announced = try await front.post(
            [], headers: [.contentType: "application/x-www-form-urlencoded", .contentLength: "262145"])
        #expect(announced.status == 413)
        #expect(front.authority.submissions.isEmpty)
    }

    @Test(
        "A body of another media type is refused with 415",
        arguments: ["text/plain", "multipart/form-data; boundary=x", ""])
    func mediaType(_ type: String) async throws {
        let answer = try await WebFront().post(
            [("Mode", "newreq"), ("CertRequest", "x")], headers: [.contentType: type])
        #expect(answer.status == 415)
    }

    @Test(
        "A form that another site's page sent is refused with 403",
        arguments: [
            [HTTPField.Name.origin: "https://evil.example"], [.origin: "null"],
            [.referer: "https://evil.example/certsrv/"],
            [.origin: "https://ca.example.test:8443"], [.origin: "https://ca.example.test@evil.example"],
            [.referer: "ca.example.test"], [.secFetchSite: "cross-site"],
            [.secFetchSite: "same-site", .origin: "https://ca.example.test"],
        ])
    func crossSite(_ fields: [HTTPField.Name: String]) async throws {
        let front = try await WebFront()
        #expect(
            try await front.post([("Mode", "newreq"), ("CertRequest", "x")], headers: headers(fields)).status == 403)
        #expect(front.authority.submissions.isEmpty)
    }

    @Test(
        "A form from this host's own pages is taken",
        arguments: [
            [HTTPField.Name.origin: "https://ca.example.test"],
            [.referer: "https://CA.example.test/certsrv/certrqxt.asp"],
            [.secFetchSite: "same-origin", .origin: "https://ca.example.test"],
        ])
    func sameSite(_ fields: [HTTPField.Name: String]) async throws {
        let answer = try await WebFront().post([("Mode", "newreq"), ("CertRequest", "x")], headers: headers(fields))
        #expect(answer.status == 200)
    }

    private func headers(_ fields: [HTTPField.Name: String]) -> HTTPFields {
        var headers: HTTPFields = [.contentType: "application/x-www-form-urlencoded; charset=UTF-8"]
        for (name, value) in fields { headers[name] = value }
        return headers
    }
}

extension HTTPField.Name {
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site") ?? .origin
}

import CertificateAuthority
import HTTPTypes
import Testing

@testable import EnrollmentWeb

@Suite("Who may read what")
struct AccessTests {
    @Test("Clients that probe /certsrv/ get 200 with a password, 401 without, and never a redirect")
    func probe() async throws {
        let front = try await WebFront()
        for path in ["/certsrv/", "/certsrv", "/CERTSRV/", "/certsrv/default.asp"] {
            #expect(try await front.get(path).status == 200)
            let refused = try await front.get(path, user: nil)
            #expect(refused.status == 401)
            #expect(refused.headers[.wwwAuthenticate] == "Basic realm=\"certsrv\", charset=\"UTF-8\"")
            #expect(try await front.send(.head, path, user: nil).status == 401)
            let head = try await front.send(.head, path)
            #expect(head.status == 200 && head.body.isEmpty)
        }
    }

    @Test(
        "Every page of /certsrv needs a password, also one that does not exist",
        arguments: [
            "certnew.cer?ReqID=1", "certnew.p7b?ReqID=1", "certcrl.crl", "certcarc.asp", "certrqxt.asp", "certckpn.asp",
            "certfnsh.asp", "nosuch.asp", "a/b/c",
        ])
    func everyPage(_ page: String) async throws {
        let front = try await WebFront()
        #expect(try await front.get("/certsrv/\(page)", user: nil).status == 401)
        #expect(try await front.get("/certsrv/\(page)", user: "bob").status == 401)
    }

    @Test("A form is not read before the password is right")
    func form() async throws {
        let front = try await WebFront()
        let answer = try await front.post([("Mode", "newreq"), ("CertRequest", "x")], user: nil)
        #expect(answer.status == 401)
        #expect(front.authority.submissions.isEmpty)
    }

    @Test(
        "An Authorization header that is malformed or of another scheme is 401",
        arguments: ["Basic", "Basic !!!", "Basic YWxpY2U=", "Bearer abc", "NTLM TlRMTVNTUAAB", "Basic OnBhc3M=", ""])
    func header(_ value: String) async throws {
        let answer = try await WebFront().send(.get, "/certsrv/", headers: [.authorization: value])
        #expect(answer.status == 401)
    }

    @Test("A page that does not exist is 404, certfnsh.asp without a form 405")
    func unknown() async throws {
        let front = try await WebFront()
        let missing = try await front.get("/certsrv/nosuch.asp")
        #expect(missing.status == 404 && missing.text.contains("0x80070002"))
        #expect(try await front.get("/").status == 404)
        let form = try await front.get("/certsrv/certfnsh.asp")
        #expect(form.status == 405 && form.headers[.allow] == "POST")
    }

    @Test("The CA's name is escaped wherever it stands, and no script runs")
    func escaping() async throws {
        let front = try await WebFront()
        for path in ["", "certcarc.asp", "certrqxt.asp", "certckpn.asp", "nosuch.asp"] {
            let page = try await front.get("/certsrv/\(path)")
            #expect(page.text.contains("-- Test &amp; &quot;Issuing&quot; CA</title>"))
            #expect(!page.text.contains("Test & \""))
            #expect(page.headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
        }
    }

    @Test("A refusal goes to the audit trail with who asked, and stands when it cannot be recorded")
    func refusals() async throws {
        let front = try await WebFront()
        _ = try await front.enroll("WebServer")
        #expect(front.authority.refusals.isEmpty)
        for attempt in 1...2 {
            let refused = try await front.get("/certsrv/certnew.cer?ReqID=41", user: "mallory")
            #expect(refused.status == 403 && refused.text.contains("0x80070005"))
            #expect(front.authority.refusals.map(\.who) == Array(repeating: "mallory", count: attempt))
        }
        #expect((front.authority.refusals.last?.error as? RequestError)?.code == .accessDenied)
        #expect(front.log.lines.contains { $0.contains("refusal not recorded") })
        // Who is not known is refused by the front itself.
        _ = try await front.get("/certsrv/certnew.cer?ReqID=41", user: nil)
        #expect(front.authority.refusals.count == 2)
    }

    @Test("Each request is one line in the log, without query and password")
    func log() async throws {
        let front = try await WebFront()
        _ = try await front.enroll("WebServer")
        _ = try await front.get("/certsrv/certnew.cer?ReqID=41")
        _ = try await front.get("/certsrv/certnew.cer?ReqID=41", user: "bob")
        #expect(front.log.lines.count == 3)
        #expect(front.log.lines[0].contains("disposition=issued") && front.log.lines[0].contains("request=41"))
        #expect(front.log.lines[0].contains("user=alice") && front.log.lines[0].contains("hb.request.id=reference-1"))
        #expect(front.log.lines[1].contains("path=/certsrv/certnew.cer") && !front.log.lines[1].contains("ReqID"))
        #expect(front.log.lines[2].contains("status=401") && !front.log.lines[2].contains("user="))
        #expect(!front.log.lines.joined().contains("secret"))
    }
}

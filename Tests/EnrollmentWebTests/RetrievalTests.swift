import CertificateAuthority
import Foundation
import TestSupport
import Testing

@testable import EnrollmentWeb

@Suite("Fetching certificates, chains and CRLs")
struct RetrievalTests {
    @Test("A certificate comes as PEM unless DER is asked for, with a media type that has no parameters")
    func certificate() async throws {
        let front = try await WebFront()
        _ = try await front.enroll("WebServer")
        let pem = try await front.get("/certsrv/certnew.cer?ReqID=41")
        #expect(pem.status == 200 && pem.contentType == "application/pkix-cert")
        #expect(pem.text.hasPrefix("-----BEGIN CERTIFICATE-----\n"))
        let decoded = try await run(["openssl", "x509", "-outform", "DER"], input: pem.body)
        #expect(decoded.stdout == front.pki.leafDER)
        for path in ["/certsrv/certnew.cer?ReqID=41&Enc=bin", "/CertSrv/CertNew.CER?REQID=41&enc=BIN&Mode=inst"] {
            let der = try await front.get(path)
            #expect(der.contentType == "application/pkix-cert")
            #expect(der.body == front.pki.leafDER)
        }
    }

    @Test("A chain begins with the leaf and ends with the root; openssl reads PEM and DER")
    func chain() async throws {
        let front = try await WebFront()
        _ = try await front.enroll("WebServer")
        let pem = try await front.get("/certsrv/certnew.p7b?ReqID=41")
        #expect(pem.contentType == "application/x-pkcs7-certificates")
        #expect(pem.text.hasPrefix("-----BEGIN PKCS7-----\n"))
        let der = try await front.get("/certsrv/certnew.p7b?ReqID=41&Enc=bin")
        #expect(der.contentType == "application/x-pkcs7-certificates")
        for (body, form) in [(pem.body, "PEM"), (der.body, "DER")] {
            let printed = try await run(["openssl", "pkcs7", "-inform", form, "-print_certs", "-noout"], input: body)
            let subjects = printed.text.split(separator: "\n").filter { $0.hasPrefix("subject=") }
            #expect(subjects.map { $0.contains("localhost") } == [true, false, false])
            #expect(subjects.last?.contains("Test Root CA") == true)
        }
        let own = try await front.get("/certsrv/certnew.p7b?ReqID=CACert&Renewal=0&Enc=bin")
        let printed = try await run(["openssl", "pkcs7", "-inform", "DER", "-print_certs", "-noout"], input: own.body)
        #expect(printed.text.matches(of: /subject=/).count == 2)
    }

    @Test("The CA's own certificates are found by renewal, the newest without one; certcarc.asp counts them")
    func caCertificate() async throws {
        let front = try await WebFront { publications in
            publications.certificates.append(
                CACertificateRecord(
                    use: .own, index: 1, keyIndex: 1, certificateDER: publications.certificates[0].certificateDER,
                    locator: nil))
        }
        let page = try await front.get("/certsrv/certcarc.asp")
        #expect(page.text.firstMatch(of: /var nRenewals=(\d+);/)?.1 == "1")
        #expect(page.text.contains("certnew.cer?ReqID=CACert&Renewal=0&Mode=inst&Enc=b64"))
        #expect(page.text.contains("certnew.cer?ReqID=CACert&Renewal=1&Mode=inst&Enc=b64"))
        let newest = try await front.get("/certsrv/certnew.cer?ReqID=CACert&Enc=bin")
        #expect(newest.body == front.pki.rootDER)
        let first = try await front.get("/certsrv/certnew.cer?ReqID=cacert&Renewal=0&Enc=bin")
        #expect(first.body == front.pki.issuingDER)
        #expect(try await front.get("/certsrv/certnew.cer?ReqID=CACert&Renewal=2").status == 400)
        // There is no CRL of the second key yet.
        #expect(try await front.get("/certsrv/certcrl.crl").status == 404)
        #expect(try await front.get("/certsrv/certcrl.crl?Type=base&Renewal=0&Enc=bin").body == front.pki.crlDER)
    }

    @Test("The latest base CRL comes as PEM and DER; a delta CRL that there is not is not found")
    func crl() async throws {
        let front = try await WebFront()
        let pem = try await front.get("/certsrv/certcrl.crl?Type=base")
        #expect(pem.contentType == "application/pkix-crl")
        #expect(pem.text.hasPrefix("-----BEGIN X509 CRL-----\n"))
        #expect(try await run(["openssl", "crl", "-outform", "DER"], input: pem.body).stdout == front.pki.crlDER)
        #expect(try await front.get("/certsrv/certcrl.crl?Enc=bin").body == front.pki.crlDER)
        #expect(try await front.get("/certsrv/certcrl.crl?Type=delta").status == 404)
        #expect(try await front.get("/certsrv/certcrl.crl?Type=none").status == 400)
    }

    @Test("What cannot be fetched is a page with the disposition message that clients read")
    func failures() async throws {
        let front = try await WebFront()
        for template in ["KeyRecoveryAgent", "None", "Broken"] { _ = try await front.enroll(template) }
        let pattern = /Disposition message:[^\t]+\t\t([^\r\n]+)/
        let pending = try await front.get("/certsrv/certnew.cer?ReqID=41&Enc=b64")
        #expect(pending.status == 200 && pending.contentType == "text/html; charset=utf-8")
        #expect(pending.text.firstMatch(of: pattern)?.1 == "Taken Under Submission")
        #expect(pending.text.contains("(certnew.cer/certnew.p7b/certcrl.crl certificate/crl fetch)"))
        let denied = try await front.get("/certsrv/certnew.cer?ReqID=42")
        #expect(denied.text.firstMatch(of: pattern)?.1.hasPrefix("Denied by Policy Module  0x80094800, ") == true)
        #expect(denied.text.firstMatch(of: #/(0x[a-zA-Z0-9]+) \([-]?[0-9]+ /#)?.1 == "0x80094800")
        #expect(try await front.get("/certsrv/certnew.p7b?ReqID=43").text.contains("Error Parsing Request"))
        let unknown = try await front.get("/certsrv/certnew.cer?ReqID=7")
        #expect(unknown.status == 200)
        #expect(unknown.text.firstMatch(of: pattern)?.1.hasPrefix("The requested property value is empty.") == true)
        #expect(unknown.text.firstMatch(of: #/ (0x[0-9a-fA-F]+) \(/#)?.1 == "0x80094004")
        let foreign = try await front.get("/certsrv/certnew.cer?ReqID=41", user: "mallory")
        #expect(foreign.status == 403 && foreign.text.contains("0x80070005 (WIN32: 5)"))
    }

    @Test(
        "A query that is malformed is refused with 400",
        arguments: [
            "", "ReqID=", "ReqID=x", "ReqID=1&Enc=hex", "ReqID=%4", "ReqID=1&reqid=2", "ReqID=CACert&Renewal=-1",
        ])
    func badQuery(_ query: String) async throws {
        let front = try await WebFront()
        #expect(try await front.get("/certsrv/certnew.cer?\(query)").status == 400)
        #expect(try await front.get("/certsrv/certnew.p7b?\(query)").status == 400)
    }
}

import Foundation
import TestSupport
import Testing

@Suite("certreq")
struct CertreqTests {
    /// The file of the white paper, with a template that archives here.
    private static let information = """
        [Version]
        Signature= "$Windows NT$"

        [NewRequest]
        Subject = "CN=Test Subject"
        KeySpec = 1
        Exportable = FALSE
        PrivateKeyArchive = TRUE

        [RequestAttributes]
        CertificateTemplate = User

        """

    @Test("The walk-through of the white paper runs: new, submit, accept, and both dumps")
    func whitePaper() async throws {
        let site = try await Site.issuing()
        _ = try await site.makeAgent()
        try site.directory.write("CertificateRequest.inf", Array(Self.information.utf8))
        try site.secret("key password", to: "pin")
        let pin = "file:\(site.path("pin"))"
        let made = try await site.certreq(
            "\u{2013}new", site.path("CertificateRequest.inf"), site.path("CertificateRequest.req"), "-p", pin)
        #expect(made.status == 0, "\(made.text) \(made.stderr)")
        #expect(made.text == "CertReq: Request Created\n")
        let submitted = try await site.certreq(
            "-submit", site.path("CertificateRequest.req"), site.path("KeyArchival.cer"), site.path("KeyArchival.p7b"),
            site.path("KeyArchival.rsp"))
        #expect(submitted.status == 0, "\(submitted.text) \(submitted.stderr)")
        #expect(submitted.text.hasSuffix("\nCertificate retrieved(Issued) Issued\n"))
        let accepted = try await site.certreq("-accept", site.path("KeyArchival.rsp"), "-p", pin)
        #expect(accepted.status == 0, "\(accepted.text) \(accepted.stderr)")
        #expect(accepted.text.hasPrefix("Installed Certificate: "))
        let request = try await site.certutil("-privatekey", "-dump", site.path("CertificateRequest.req"))
        for part in [
            "CMS Certificate Request:", "PKCS10 Certificate Request:", "Signature matches request Public Key",
            "1.3.6.1.4.1.311.21.13 (Encrypted Private Key)", "CertificateTemplate=User",
        ] { #expect(request.text.contains(part), "missing \(part) in\n\(request.text)") }
        let response = try await site.certutil("-privatekey", "-dump", site.path("KeyArchival.rsp"))
        for part in ["CMS Certificate Response:", "Status String: Issued", "Encrypted Key Hash", "Certificates: 3"] {
            #expect(response.text.contains(part), "missing \(part) in\n\(response.text)")
        }
        let found = try await site.certutil("-getkey", site.serial(of: "KeyArchival.cer"), site.path("blob"))
        #expect(found.status == 0, "the key is archived: \(found.text)")
    }

    @Test("A pending request is told as such, and retrieved when it was issued; failures have the processor's line")
    func pending() async throws {
        let site = try await Site.issuing()
        let token = try await site.makeToken("requester")
        try site.directory.write(
            "agent.inf",
            Array(
                "[NewRequest]\nSubject = \"CN=Agent\"\n[RequestAttributes]\nCertificateTemplate = KeyRecoveryAgent\n"
                    .utf8))
        let made = try await site.certreq("-new", site.path("agent.inf"), site.path("agent.req"), "-tokenfile", token)
        #expect(made.status == 0, "\(made.text) \(made.stderr)")
        let submitted = try await site.certreq("-submit", site.path("agent.req"), site.path("agent.cer"))
        #expect(submitted.text.hasSuffix("\nCertificate request is pending: Taken Under Submission (0)\n"))
        let number = String(submitted.text.split(separator: "\n")[0].dropFirst("RequestId: ".count))
        let issued = try await site.certutil("-resubmit", number)
        #expect(issued.text == "Certificate issued.\nCertUtil: -resubmit command completed successfully.\n")
        let retrieved = try await site.certreq("-retrieve", number, site.path("agent.cer"))
        #expect(retrieved.status == 0 && retrieved.text.contains("\nCertificate retrieved(Issued) Resubmitted by "))
        let accepted = try await site.certreq("-accept", site.path("agent.cer"), "-tokenfile", token)
        #expect(accepted.status == 0, "\(accepted.text) \(accepted.stderr)")
        let unknown = try await site.certreq("-retrieve", "9999", site.path("x.cer"))
        #expect(
            unknown.text
                == "Certificate Request Processor: The requested property value is empty. 0x80094004 (-2146877436)\n")
        let again = try await site.certreq("-retrieve", number, site.path("agent.cer"))
        #expect(again.status == 1, "nothing is overwritten without -f")
        #expect(try await site.certreq("-f", "-retrieve", number, site.path("agent.cer")).status == 0)
    }
}

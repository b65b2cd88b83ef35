import Foundation
import TestSupport
import Testing

@Suite("certutil -CAInfo, -ping, -verifykeys, and certreq -sign")
struct CertutilInformationTests {
    @Test("What the CA is, whether it serves, and its keys are told in lines that scripts can read")
    func authority() async throws {
        let site = try await Site.issuing()
        let host = ProcessInfo.processInfo.hostName
        let name = try await site.certutil("-cainfo", "name")
        #expect(name.text == "CA name: Test Issuing CA\nCertUtil: -CAInfo command completed successfully.\n")
        let all = try await site.certutil("-CAInfo")
        #expect(
            all.text.contains(
                """
                CA name: Test Issuing CA
                Sanitized CA name: Test Issuing CA
                Sanitized CA short name (DS name): Test Issuing CA
                CA type: 1 -- Enterprise Subordinate CA
                    ENUM_ENTERPRISE_SUBCA -- 1
                CA cert count: 1
                KRA cert count: 0
                KRA cert used count: 0
                CA cert[0]: 3 -- Valid
                DNS Name: \(host)
                Role Separation: 0
                """), "\(all.text)")
        let unknown = try await site.certutil("-cainfo", "nothing")
        #expect(unknown.text.hasPrefix("CertUtil: -CAInfo command FAILED: 0x80070057 (WIN32: 87)\n"))

        let alive = try await site.certutil("-ping")
        #expect(
            alive.text.replacing(/\(\d+ms\)/, with: "(Nms)") == """
                Connecting to \(host)\\Test Issuing CA ...
                Server "Test Issuing CA" is alive (Nms)
                CertUtil: -ping command completed successfully.

                """, "\(alive.stderr)")
        let keys = try await site.certutil("-verifykeys")
        #expect(
            keys.text.replacing(/pkcs11:\S+/, with: "KEY") == """
                CA cert[0]: CN=Test Issuing CA,O=Test, key 0
                  KEY
                  Signature test passed
                CertUtil: -verifykeys command completed successfully.

                """, "\(keys.text)\(keys.stderr)")
        try await succeed(
            [
                "pkcs11-tool", "--module", Site.softHSM, "--token-label", "issuing", "--login", "--pin", "12345678",
                "--delete-object", "--type", "privkey", "--label", "Test Issuing CA",
            ], environment: ["SOFTHSM2_CONF": site.path("issuing.conf")])
        let lost = try await site.certutil("-verifykeys")
        #expect(lost.text.contains("CertUtil: -verifykeys command FAILED: 0x80100030 (-2146435024)\n"), "\(lost.text)")
    }

    @Test("An enrollment agent signs a request with the key that certreq has made and accepted")
    func agent() async throws {
        let site = try await Site.issuing()
        let pin = "file:\(site.path("pin-user"))"
        try site.directory.write(
            "agent.inf",
            Array(
                "[NewRequest]\nSubject = \"CN=Agent\"\n[RequestAttributes]\nCertificateTemplate = EnrollmentAgent\n"
                    .utf8)
        )
        try await site.operate("template", "enable", "--instance", site.path("issuing"), "EnrollmentAgent")
        let (request, certificate) = (site.path("agent.req"), site.path("agent.cer"))
        #expect(try await site.certreq("-new", site.path("agent.inf"), request, "-p", pin).status == 0)
        let submitted = try await site.certreq("-submit", request, certificate)
        #expect(submitted.text.hasSuffix("\nCertificate request is pending: Taken Under Submission (0)\n"))
        let number = String(submitted.text.split(separator: "\n")[0].dropFirst("RequestId: ".count))
        _ = try await site.certutil("-resubmit", number)
        let retrieved = try await site.certreq("-retrieve", number, certificate)
        #expect(retrieved.text.hasPrefix("RequestId: \(number)\nCertificate retrieved(Issued) Resubmitted by "))
        let accepted = try await site.certreq("-accept", certificate, "-p", pin)
        let installed = try #require(
            accepted.text.firstMatch(of: /Installed Certificate: [0-9a-f]+, (.*)\n/), "\(accepted.text)")
        let signed = try await site.certreq(
            "-sign", site.makeRequest("bob"), site.path("signed.req"), "-cert", String(installed.1), "-p", pin)
        #expect(signed.status == 0, "\(signed.text)\(signed.stderr)")
        #expect(signed.text == "Request: \(site.path("signed.req"))\n")
        let shown = try await site.certutil("-dump", site.path("signed.req"))
        // The agent's certificate came with the signature.
        #expect(shown.text.contains("Certificate Request Agent (1.3.6.1.4.1.311.20.2.1)"))
        let again = try await site.certreq(
            "-sign", site.path("bob.req"), site.path("signed.req"), "-cert", String(installed.1), "-p", pin)
        #expect(again.text.contains("0x80070050 (WIN32: 80)"), "\(again.text)")
    }
}

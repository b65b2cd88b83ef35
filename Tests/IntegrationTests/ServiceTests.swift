import Foundation
import TestSupport
import Testing

@Suite("signetd")
struct ServiceTests {
    @Test("curl enrols over TLS with the key on the token, and the published files are where certificates say")
    func enrolment() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port)
        let service = try await RunningService(site, port: port)
        let request = try await site.makeRequest("www")
        let page = try await succeed(
            site.curl("certfnsh.asp", port: port) + [
                "--data-urlencode", "Mode=newreq", "--data-urlencode", "CertRequest@\(request)", "--data-urlencode",
                "CertAttrib=CertificateTemplate:WebServer", "--data-urlencode", "TargetStoreFlags=0",
                "--data-urlencode", "SaveCert=yes",
            ]
        ).text
        #expect(page.contains("The certificate you requested was issued to you."))
        let match = try #require(page.firstMatch(of: /location="certnew.cer\?ReqID=(.*?)&/))
        let certificate = try await succeed(site.curl("certnew.cer?ReqID=\(match.1)&Enc=b64", port: port)).stdout
        try site.directory.write("www.crt", certificate)
        let crl = try await succeed(["curl", "-sSf", "http://localhost:\(port + 1)/ca/Test%20Issuing%20CA.crl"]).stdout
        #expect(crl == (try site.directory.read("issuing/publish/Test Issuing CA.crl")))
        try await succeed([
            "openssl", "verify", "-crl_check_all", "-CRLfile", site.crls(), "-CAfile", site.path("chain.pem"),
            site.path("www.crt"),
        ])
        let unauthenticated = try await succeed([
            "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", site.path("chain.pem"),
            "https://localhost:\(port)/certsrv/",
        ])
        #expect(unauthenticated.text == "401")
        #expect(try await service.stop() == 0)
        let trail = try await site.operate("audit", "show", "--instance", site.path("issuing"), "--limit", "1000").text
        #expect(trail.contains(" 784 ") && trail.contains(" 785 "))
    }

    @Test("An archival request over the web gives the CMC response that the client checks; the service dumps no core")
    func archivalOverTheWeb() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port)
        _ = try await site.makeAgent()
        let service = try await RunningService(site, port: port)
        try await site.makeArchivalRequest("alice", format: "token-wrapped")
        let page = try await succeed(
            site.curl("certfnsh.asp", port: port) + [
                "--data-urlencode", "Mode=newreq", "--data-urlencode", "CertRequest@\(site.path("alice.cmc"))",
                "--data-urlencode", "CertAttrib=CertificateTemplate:User",
            ]
        ).text
        #expect(page.contains("sPKCS7"))
        #expect(page.contains(/certnew.cer\?ReqID=(\d+)&/))
        let found = try await site.operate("key", "find", "--instance", site.path("issuing"), "alice")
        #expect(found.text.contains("UPN: alice@example.test"))
        #expect(try service.limits().contains(/\nMax core file size +0 +0 +bytes/))
        #expect(try await service.stop() == 0)
    }

    /// The client is from PyPI and not one of ours: `make test` puts it where this test looks.
    @Test(
        "The PyPI client certsrv works unmodified",
        .enabled(if: FileManager.default.isExecutableFile(atPath: ServiceTests.python)))
    func certsrvClient() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port)
        let service = try await RunningService(site, port: port)
        let request = try await site.makeRequest("www")
        let script = try site.directory.write("client.py", Array(ServiceTests.client.utf8))
        let result = try await succeed([ServiceTests.python, script, "\(port)", site.path("chain.pem"), request])
        #expect(result.text.hasSuffix("all five calls work\n"))
        #expect(try await service.stop() == 0)
    }

    private static let python = Programs.checkout + "/.build/certsrv-client/bin/python"

    private static let client = """
        import os, sys
        # requests prefers bundles named by the environment to the one it is given.
        for name in ('REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'): os.environ.pop(name, None)
        import certsrv
        port, bundle, request = sys.argv[1:]
        ca = certsrv.Certsrv('localhost:' + port, 'alice', "alice's secret", cafile=bundle)
        assert ca.check_credentials() is True
        assert certsrv.Certsrv('localhost:' + port, 'alice', 'wrong', cafile=bundle).check_credentials() is False
        pem = ca.get_cert(open(request, 'rb').read(), 'WebServer')
        assert pem.startswith(b'-----BEGIN CERTIFICATE-----')
        assert ca.get_ca_cert().startswith(b'-----BEGIN CERTIFICATE-----')
        assert b'PKCS7' in ca.get_chain() or len(ca.get_chain()) > 100
        import re
        from subprocess import run
        number = int(run(['openssl', 'x509', '-noout', '-serial'], input=pem, capture_output=True).stdout.strip()[-8:], 16)
        assert ca.get_existing_cert(number) == pem
        try:
            ca.get_cert(open(request, 'rb').read(), 'NoSuch')
            raise SystemExit('an unknown template was not denied')
        except certsrv.RequestDeniedException as denied:
            assert '0x80094800' in str(denied), denied
        print('all five calls work')

        """
}

import Foundation
import ServiceLifecycle
import TestSupport
import Testing

@testable import EnrollmentWeb

/// The PyPI package `certsrv`, unmodified, where the environment names a Python that has it.
@Suite("The PyPI client certsrv")
struct CertsrvClientTests {
    private static let python = ProcessInfo.processInfo.environment["SIGNET_CERTSRV_PYTHON"]

    @Test("All its calls work, and it tells issued, pending, denied and unknown apart", .enabled(if: python != nil))
    func client() async throws {
        let python = try #require(CertsrvClientTests.python)
        let web = try await WebFront()
        let directory = web.pki.directory
        let tls = try ServerTLS(certificateFile: directory.path("chain.pem"), keyFile: directory.path("leaf.key"))
        let result = try await LiveServer.run(web.front, tls: tls) { port, _ in
            try await run(
                [python, "-c", CertsrvClientTests.script, "localhost:\(port)", GivenUsers.password, directory.path])
        }
        #expect(result.stderr == "")
        #expect(result.text == "works\n")
    }

    private static let script = """
        import os, sys, certsrv
        # requests prefers this bundle of the environment to the file that it is given.
        for name in ['REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE']: os.environ.pop(name, None)
        host, password, directory = sys.argv[1:]
        read = lambda name: open(directory + '/' + name, 'rb').read()
        # requests encodes text as ISO 8859-1; as bytes the password goes out in UTF-8.
        client = lambda word: certsrv.Certsrv(host, 'alice', word.encode(), cafile=directory + '/root.pem')
        ca, csr = client(password), read('leaf.csr')
        assert ca.check_credentials() is True
        assert client('wrong').check_credentials() is False
        pem = ca.get_cert(csr, 'WebServer')
        assert pem.startswith(b'-----BEGIN CERTIFICATE-----'), pem
        assert ca.get_cert(csr, 'WebServer', encoding='bin', attributes='SAN:dns=a') == read('leaf.der')
        assert ca.get_existing_cert(41) == pem
        assert ca.get_existing_cert('42', encoding='bin') == read('leaf.der')
        assert ca.get_ca_cert(encoding='bin') == read('issuing.der')
        assert ca.get_ca_cert().startswith(b'-----BEGIN CERTIFICATE-----')
        assert read('issuing.der') in ca.get_chain() and read('root.der') in ca.get_chain()
        assert ca.get_chain(encoding='b64').startswith(b'-----BEGIN PKCS7-----')
        try:
            ca.get_cert(csr, 'KeyRecoveryAgent')
            raise SystemExit('not pending')
        except certsrv.CertificatePendingException as pending:
            assert pending.req_id == '43', pending
        for number, words in [(43, 'Taken Under Submission'), (99, 'The requested property value is empty.')]:
            try:
                ca.get_existing_cert(number)
                raise SystemExit('fetched')
            except certsrv.CouldNotRetrieveCertificateException as refused:
                assert words in str(refused), refused
        for template, words in [('Nothing', 'Denied by Policy Module  0x80094800,'), ('Broken', 'Error Parsing Request')]:
            try:
                ca.get_cert(csr, template)
                raise SystemExit('not denied')
            except certsrv.RequestDeniedException as denied:
                assert words in str(denied), denied
        print('works')
        """
}

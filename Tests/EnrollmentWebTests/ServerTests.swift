import CertificateAuthority
import Foundation
import KeyProvider
import Logging
import NIOSSL
import PKIMessages
import ServiceLifecycle
import TestSupport
import Testing

@testable import EnrollmentWeb

@Suite("The server on a port")
struct ServerTests {
    private func curl(_ pki: TestPKI, _ arguments: [String]) async throws -> ToolResult {
        try await run(
            [
                "curl", "-sS", "--max-time", "120", "--cacert", pki.directory.path("root.pem"), "-u",
                "alice:\(GivenUsers.password)",
            ]
                + arguments)
    }

    private func publicKey(_ pki: TestPKI, _ file: String) async throws -> SubjectPublicKeyInfo {
        let der = try await run(["openssl", "x509", "-in", pki.directory.path(file), "-outform", "DER"])
        return try CertificateFields(derEncoded: der.stdout).subjectPublicKeyInfo
    }

    @Test("curl enrols over TLS with a key in a file, and the answer is logged with the peer's address")
    func keyInFile() async throws {
        let web = try await WebFront()
        let log = RecordedLog()
        let tls = try ServerTLS(
            certificateFile: web.pki.directory.path("chain.pem"), keyFile: web.pki.directory.path("leaf.key"))
        let page = try await LiveServer.run(web.front, tls: tls, log: log) { port, _ in
            try await curl(
                web.pki,
                [
                    "--data-urlencode", "Mode=newreq", "--data-urlencode",
                    "CertRequest@\(web.pki.directory.path("leaf.csr"))",
                    "--data-urlencode", "CertAttrib=CertificateTemplate:WebServer",
                    "https://localhost:\(port)/certsrv/certfnsh.asp",
                ])
        }
        #expect(page.text.firstMatch(of: /certnew.cer\?ReqID=(\d+)&/)?.1 == "41")
        #expect(web.authority.submissions.first?.requestBytes == Array(web.pki.requestPEM.utf8))
        let line = try #require(log.lines.first { $0.contains("path=/certsrv/certfnsh.asp") })
        #expect(line.contains("remote=127.0.0.1") && line.contains("hb.request.id="))
    }

    @Test("A P-256 key on a token serves TLS 1.2 and 1.3", arguments: ["1.2", "1.3"])
    func ellipticKeyOnToken(_ version: String) async throws {
        let web = try await WebFront()
        let signer = try await SoftwareSigner(
            keyFile: web.pki.directory.path("leaf.key"), publicKey: publicKey(web.pki, "leaf.pem"))
        let tls = try await ServerTLS(certificateFile: web.pki.directory.path("chain.pem"), token: signer)
        let answer = try await LiveServer.run(web.front, tls: tls) { port, _ in
            try await curl(
                web.pki,
                [
                    "--tlsv\(version)", "--tls-max", version,
                    "https://localhost:\(port)/certsrv/certnew.cer?ReqID=CACert",
                ])
        }
        #expect(answer.text.hasPrefix("-----BEGIN CERTIFICATE-----"))
        #expect(signer.algorithms == [.ecdsa(.sha256)])
    }

    @Test("An RSA key on a token serves TLS 1.2, and a client that insists on 1.3 is refused")
    func rsaKeyOnToken() async throws {
        let web = try await WebFront()
        let signer = try await SoftwareSigner(
            keyFile: web.pki.directory.path("rsa.key"), publicKey: publicKey(web.pki, "rsa.pem"))
        let tls = try await ServerTLS(certificateFile: web.pki.directory.path("rsachain.pem"), token: signer)
        let (served, refused) = try await LiveServer.run(web.front, tls: tls) { port, _ in
            let address = "https://localhost:\(port)/healthz"
            return (try await curl(web.pki, [address]), try await curl(web.pki, ["--tlsv1.3", address]))
        }
        #expect(served.text == "ok\n")
        #expect(refused.status == 35)
        #expect(signer.algorithms.count == 1)
    }

    @Test("A handshake that the token signed wrongly does not leave the server")
    func wrongSignature() async throws {
        let web = try await WebFront()
        let signer = try await SoftwareSigner(
            keyFile: web.pki.directory.path("leaf.key"), publicKey: publicKey(web.pki, "leaf.pem"), isFaulty: true)
        let tls = try await ServerTLS(certificateFile: web.pki.directory.path("chain.pem"), token: signer)
        let answer = try await LiveServer.run(web.front, tls: tls) { port, _ in
            try await curl(web.pki, ["https://localhost:\(port)/healthz"])
        }
        #expect(answer.status == 35)
        let key = try #require(
            try await TokenTLSPrivateKey(
                token: signer, locator: signer.keyPairs()[0].locator, publicKey: publicKey(web.pki, "leaf.pem")))
        await #expect(throws: EnrollmentWebError.wrongHandshakeSignature) {
            try await key.sign([1, 2, 3], .ecdsaSecp256R1Sha256)
        }
    }

    @Test("A key of another certificate, an open key file and a file that is no certificate are refused at start")
    func badTLS() async throws {
        let pki = try await TestPKI.make()
        let chain = pki.directory.path("chain.pem")
        func code(_ body: () async throws -> ServerTLS) async throws -> EnrollmentWebError.Code? {
            do {
                _ = try await body()
                return nil
            } catch let error as EnrollmentWebError {
                return error.code
            }
        }
        #expect(
            try await code { try ServerTLS(certificateFile: chain, keyFile: pki.directory.path("rsa.key")) }
                == .invalidTLSKey)
        #expect(
            try await code { try ServerTLS(certificateFile: chain, keyFile: pki.directory.path("none")) }
                == .invalidTLSKey)
        let open = try pki.directory.write("open.key", pki.directory.read("leaf.key"))
        #expect(try await code { try ServerTLS(certificateFile: chain, keyFile: open) } == .invalidTLSKey)
        for file in ["leaf.key", "none"] {
            let path = pki.directory.path(file)
            #expect(try await code { try ServerTLS(certificateFile: path, keyFile: path) } == .invalidTLSCertificate)
        }
        let signer = try await SoftwareSigner(
            keyFile: pki.directory.path("rsa.key"), publicKey: publicKey(pki, "rsa.pem"))
        #expect(try await code { try await ServerTLS(certificateFile: chain, token: signer) } == .invalidTLSKey)
    }

    @Test("Passwords over plain HTTP are refused at start, except on loopback or when allowed")
    func plainHTTP() throws {
        for host in ["0.0.0.0", "::", "ca.example.test", "127.example.test", "10.0.0.1"] {
            #expect(throws: EnrollmentWebError.plainHTTPRefused(host: host)) {
                try Listener(host: host, port: 80, tls: nil).checkTransport()
            }
            try Listener(host: host, port: 80, tls: nil, allowsPlainHTTP: true).checkTransport()
            try Listener(host: host, port: 80, tls: nil, scope: .publicationOnly).checkTransport()
        }
        for host in ["127.0.0.1", "127.1.2.3", "::1", "localhost"] {
            try Listener(host: host, port: 80, tls: nil).checkTransport()
        }
    }

    @Test("A port that another program has is an error with a code")
    func portInUse() async throws {
        let web = try await WebFront()
        try await LiveServer.run(web.front, tls: nil) { port, _ in
            let second = try EnrollmentServer(
                front: web.front, listener: Listener(host: "127.0.0.1", port: port, tls: nil),
                logger: Logger(label: "test"))
            await #expect(throws: EnrollmentWebError.cannotListen(host: "", port: 0, "")) { try await second.run() }
        }
    }

    @Test(
        "A form over the limit is refused with 413 over the network, announced or in chunks, without a password with 401"
    )
    func oversize() async throws {
        let web = try await WebFront()
        let directory = try TemporaryDirectory()
        let file = try directory.write("form", [UInt8](repeating: 0x41, count: 400 << 10))
        try await LiveServer.run(web.front, tls: nil) { port, _ in
            let common = [
                "-o", "/dev/null", "-w", "%{http_code}", "-H", "Expect:", "--data-binary", "@\(file)",
                "http://127.0.0.1:\(port)/certsrv/certfnsh.asp",
            ]
            let announced = try await curl(web.pki, common)
            #expect(announced.text == "413")
            let chunked = try await curl(web.pki, ["-H", "Transfer-Encoding: chunked"] + common)
            #expect(chunked.text == "413")
            let refused = try await curl(web.pki, ["-u", "alice:wrong"] + common)
            #expect(refused.text == "401")
        }
        #expect(web.authority.submissions.isEmpty)
    }

    @Test("A request in progress is answered when the service stops")
    func gracefulStop() async throws {
        let pki = try await TestPKI.make()
        let slow = SlowAuthority(certificateDER: pki.leafDER)
        let front = EnrollmentFront(
            enrollment: slow, publications: GivenPublications(caName: "CA", certificates: pki.caCertificates),
            authenticator: GivenUsers(), surroundings: Surroundings(now: Date.init, randomBytes: { _ in [] }))
        let answer = try await LiveServer.run(front, tls: nil) { port, group in
            async let answer = curl(
                pki, ["-d", "Mode=chkpnd&ReqID=5", "http://127.0.0.1:\(port)/certsrv/certfnsh.asp"])
            await slow.untilAsked()
            await group.triggerGracefulShutdown()
            slow.release()
            return try await answer
        }
        #expect(answer.text.firstMatch(of: /certnew.cer\?ReqID=(\d+)&/)?.1 == "5")
    }
}

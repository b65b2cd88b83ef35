import SecretMemory
import TestSupport
import Testing

@testable import PKIMessages

@Suite struct PKCS12Tests {
    @Test("openssl opens a file of ours, and sees AES-256, PBKDF2 with SHA-256 and a SHA-256 MAC")
    func openssl() async throws {
        let ca = try SoftwareCA()
        let key = try SoftwareKeys.generate(.rsa(bits: 2048))
        let certificate = try ca.issue(key: PrivateKeyInfo(derEncoded: key).subjectPublicKeyInfo())
        let file = try PKCS12.make(
            privateKey: key, certificate: certificate.derBytes, chain: [ca.certificate.derBytes],
            friendlyName: "User's key", password: secret("p\u{E4}ssword"), rounds: 2000)
        let directory = try TemporaryDirectory()
        try directory.write("file.p12", file.exposed)
        let result = try await run(
            [
                "openssl", "pkcs12", "-in", directory.path("file.p12"), "-info", "-nodes", "-passin", "stdin",
            ], input: Array("p\u{E4}ssword\n".utf8))
        #expect(result.status == 0)
        #expect(result.stderr.contains("MAC: sha256, Iteration 2000"))
        #expect(result.stderr.contains("PBES2, PBKDF2, AES-256-CBC, Iteration 2000, PRF hmacWithSHA256"))
        #expect(result.text.contains("friendlyName: User's key"))
        #expect(result.text.split(separator: "BEGIN CERTIFICATE").count == 3)
        let pkey = try await judge(
            "openssl", "pkey", "-outform", "DER", "-out", directory.path("key"), input: result.stdout)
        #expect(pkey.isEmpty)

        let opened = try PKCS12.open(file, password: secret("p\u{E4}ssword"))
        #expect(opened.privateKey.exposed == key.exposed)
        #expect(opened.certificate == certificate.derBytes)
        #expect(opened.chain == [ca.certificate.derBytes])
        #expect(opened.friendlyName == "User's key")
        #expect(throws: PKIMessageError.wrongPassword("")) { try PKCS12.open(file, password: secret("password")) }
    }

    @Test("A key that waits for its certificate is opened as that, by openssl too, and is no complete file")
    func pending() async throws {
        let key = try SoftwareKeys.generate(.p521)
        let file = try PKCS12.makePending(
            privateKey: key, friendlyName: "waits", password: secret("x"), rounds: 2000)
        let opened = try PKCS12.openKey(file, password: secret("x"))
        #expect(opened.privateKey.exposed == key.exposed)
        #expect(opened.certificate == nil && opened.chain.isEmpty)
        #expect(throws: PKIMessageError.malformed("", "")) { try PKCS12.open(file, password: secret("x")) }
        #expect(throws: PKIMessageError.wrongPassword("")) { try PKCS12.openKey(file, password: secret("y")) }
        let directory = try TemporaryDirectory()
        try directory.write("file.p12", file.exposed)
        let pem = try await judge(
            "openssl", "pkcs12", "-in", directory.path("file.p12"), "-nodes", "-passin", "pass:x")
        #expect(pem.contains("friendlyName: waits"))
    }

    @Test("A file that openssl made is opened, with its chain in order")
    func fromOpenSSL() async throws {
        let ca = try SoftwareCA()
        let other = try SoftwareCA(name: "CN=Other")
        let key = try SoftwareKeys.generate(.p256)
        let certificate = try ca.issue(key: PrivateKeyInfo(derEncoded: key).subjectPublicKeyInfo())
        let directory = try TemporaryDirectory()
        let chain = [ca.certificate, other.certificate].map { TextEncoding.pem($0.derBytes, label: "CERTIFICATE") }
        try directory.write("chain", Array(chain.joined().utf8))
        try directory.write("cert", Array(TextEncoding.pem(certificate.derBytes, label: "CERTIFICATE").utf8))
        try directory.write("key", Array(TextEncoding.pem(key.exposed, label: "PRIVATE KEY").utf8))
        try await judge(
            "openssl", "pkcs12", "-export", "-inkey", directory.path("key"), "-in", directory.path("cert"), "-certfile",
            directory.path("chain"), "-passout", "pass:x", "-out", directory.path("p12"))
        let opened = try PKCS12.open(SecretBytes(copying: directory.read("p12")), password: secret("x"))
        #expect(opened.chain == [ca.certificate.derBytes, other.certificate.derBytes])
        #expect(opened.friendlyName == nil)
    }

    @Test("A key on a curve that comes without its public half has it in the file, where some readers want it")
    func publicHalf() async throws {
        let ca = try SoftwareCA()
        let whole = try SoftwareKeys.generate(.p384)
        let certificate = try ca.issue(key: PrivateKeyInfo(derEncoded: whole).subjectPublicKeyInfo())
        let directory = try TemporaryDirectory()
        try directory.write("key", Array(TextEncoding.pem(whole.exposed, label: "PRIVATE KEY").utf8))
        try await judge("openssl", "ec", "-in", directory.path("key"), "-no_public", "-out", directory.path("half"))
        try await judge(
            "openssl", "pkcs8", "-topk8", "-nocrypt", "-in", directory.path("half"), "-outform", "DER", "-out",
            directory.path("half.der"))
        let half = try directory.read("half.der")
        #expect(half.count < whole.count)
        let file = try PKCS12.make(
            privateKey: SecretBytes(copying: half), certificate: certificate.derBytes, chain: [], friendlyName: nil,
            password: secret("x"), rounds: 2000)
        #expect(try PKCS12.open(file, password: secret("x")).privateKey.exposed == whole.exposed)
    }

    @Test("A key that does not belong to the certificate is refused, and a password with a zero byte")
    func refusals() throws {
        let ca = try SoftwareCA()
        let key = try SoftwareKeys.generate(.p256)
        #expect(throws: PKIMessageError.keyMismatch("", "")) {
            try PKCS12.make(
                privateKey: key, certificate: ca.certificate.derBytes, chain: [], friendlyName: nil,
                password: secret("x"), rounds: 1000)
        }
        #expect(throws: PKIMessageError.invalidValue("", "")) {
            try PKCS12.make(
                privateKey: ca.key, certificate: ca.certificate.derBytes, chain: [], friendlyName: nil,
                password: secret("a\0b"), rounds: 1000)
        }
    }

    @Test("No truncation and no flipped bit of a file crashes or opens")
    func damage() throws {
        let ca = try SoftwareCA()
        let file = try PKCS12.make(
            privateKey: ca.key, certificate: ca.certificate.derBytes, chain: [], friendlyName: nil,
            password: secret("x"), rounds: 1)
        let password = try secret("x")
        for damaged in file.exposed.damaged {
            do {
                let opened = try PKCS12.open(SecretBytes(copying: damaged), password: password)
                #expect(opened.privateKey.exposed == ca.key.exposed)
            } catch {
                #expect(error is PKIMessageError)
            }
        }
    }
}

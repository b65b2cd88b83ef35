import Foundation
import TestSupport

extension Site {
    /// Issues a web server's certificate by the issuing CA into `NAME.crt`.
    func issue(_ name: String) async throws {
        try await self.operate(
            "request", "submit", "--instance", self.path("issuing"), "--template", "WebServer", "--out",
            self.path("\(name).crt"), try await self.makeRequest(name))
    }

    /// Lets the root sign `NAME.req` and installs the certificate in the issuing CA.
    func answerRenewal(_ name: String, rootCertificate: String = "Test Root CA.crt") async throws {
        try await self.operate(
            "request", "submit", "--instance", self.path("root"), "--template", "SubCA", "--out",
            self.path("ca-\(name).crt"), self.path("\(name).req"))
        try await self.operate(
            "ca", "install", "--instance", self.path("issuing"), "--chain",
            self.path("root/publish/\(rootCertificate)"), self.path("ca-\(name).crt"))
    }

    /// `openssl x509 -text`.
    func text(ofCertificate name: String, inform: String = "DER") async throws -> String {
        try await succeed(["openssl", "x509", "-inform", inform, "-in", self.path(name), "-noout", "-text"]).text
    }

    /// Lower-case hexadecimal of the SHA-1 of a file's bytes.
    func sha1(ofFile name: String) async throws -> String {
        String(try await succeed(["sha1sum", self.path(name)]).text.prefix(40))
    }

    /// What Python reads of a CA certificate's place among the renewals: CA version, hash of the certificate before it
    /// (`None` without one), key identifier.
    func renewal(
        ofCertificate name: String
    ) async throws -> (version: Int?, previous: String, keyIdentifier: String) {
        let program = """
            import sys
            from cryptography import x509
            c = x509.load_der_x509_certificate(open(sys.argv[1], 'rb').read())
            e = {x.oid.dotted_string: x.value for x in c.extensions}
            v = e['1.3.6.1.4.1.311.21.1'].value
            assert v[0] == 2 and v[1] == len(v) - 2
            p = e.get('1.3.6.1.4.1.311.21.2')
            assert p is None or p.value[:2] == bytes([4, 20]) and len(p.value) == 22
            print(int.from_bytes(v[2:], 'big'), p and p.value[2:].hex(), e['2.5.29.14'].digest.hex())
            """
        let words = try await succeed(["python3", "-W", "ignore", "-c", program, self.path(name)]).text
            .split(whereSeparator: \.isWhitespace).map(String.init)
        return (Int(words[0]), words[1], words[2])
    }

    /// Puts a key on a token of which the public half is another key's: what an incomplete recovery leaves (Q235964).
    func breakKey(on label: String) async throws {
        let key = self.path("foreign.der")
        try await succeed([
            "openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.path("foreign"),
        ])
        try await succeed(["openssl", "ec", "-in", self.path("foreign"), "-pubout", "-outform", "DER", "-out", key])
        for arguments in [
            ["--keypairgen", "--key-type", "EC:prime256v1", "--usage-sign"], ["--delete-object", "--type", "pubkey"],
            ["--write-object", key, "--type", "pubkey"],
        ] {
            try await succeed(
                [
                    "pkcs11-tool", "--module", Site.softHSM, "--token-label", label, "--login", "--pin", "12345678",
                    "--id", "77", "--label", "broken",
                ] + arguments, environment: ["SOFTHSM2_CONF": self.path("\(label).conf")])
        }
    }

    /// DER certificates in one PEM file.
    func pem(_ names: [String], _ out: String) async throws -> String {
        var text = ""
        for name in names {
            text += try await succeed(["openssl", "x509", "-inform", "DER", "-in", self.path(name)]).text
        }
        return try self.directory.write("\(out).pem", Array(text.utf8))
    }
}

extension Array {
    /// One after the other.
    func asyncMap<R>(_ body: (Element) async throws -> R) async throws -> [R] {
        var result: [R] = []
        for element in self { result.append(try await body(element)) }
        return result
    }
}

/// Judges of a path, each of which has its own mind.
extension Site {
    /// GnuTLS: the certificates in the order of the path, the root last.
    func certtool(_ names: [String]) async throws -> Bool {
        let input = try names.flatMap { try self.directory.read($0) }
        return try await run(["certtool", "--verify-chain"], input: input).text
            .contains("Chain verification output: Verified.")
    }

    /// Python's `cryptography`, as a TLS client does it.
    ///
    /// - Parameter host: of `HOST.example.test`, which the leaf must name.
    func cryptography(leaf: String, between: String, root: String, host: String) async throws -> Bool {
        let program = """
            import sys
            from cryptography import x509
            from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
            load = lambda path: x509.load_pem_x509_certificates(open(path, 'rb').read())
            leaf, between, root, host = sys.argv[1:5]
            verifier = PolicyBuilder().store(Store(load(root))).build_server_verifier(x509.DNSName(host))
            try:
                verifier.verify(load(leaf)[0], load(between))
                print('accepted')
            except VerificationError as error:
                print('refused', error)
            """
        let verdict = try await succeed([
            "python3", "-W", "ignore", "-c", program, self.path(leaf), self.path(between), self.path(root),
            "\(host).example.test",
        ]).text
        return verdict.hasPrefix("accepted")
    }
}

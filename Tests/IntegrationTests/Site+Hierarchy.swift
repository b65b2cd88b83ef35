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

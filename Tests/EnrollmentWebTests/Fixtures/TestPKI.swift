import CertificateAuthority
import Foundation
import TestSupport

/// A root, an issuing CA, a certificate for `localhost`, a PKCS#10 request and a CRL, made by openssl once for all
/// tests of a run.
struct TestPKI: Sendable {
    let directory: TemporaryDirectory
    let rootDER: [UInt8]
    let issuingDER: [UInt8]
    let leafDER: [UInt8]
    let crlDER: [UInt8]
    let requestPEM: String

    /// Made at the first use; the tests share it, because nothing changes it.
    static let shared = Task { try await TestPKI() }

    static func make() async throws -> TestPKI { try await TestPKI.shared.value }

    private init() async throws {
        let directory = try TemporaryDirectory()
        let result = try await run(["sh", "-e", "-c", TestPKI.script], environment: ["DIR": directory.path])
        guard result.status == 0 else { throw ScriptFailed(text: result.stderr) }
        self.directory = directory
        self.rootDER = try directory.read("root.der")
        self.issuingDER = try directory.read("issuing.der")
        self.leafDER = try directory.read("leaf.der")
        self.crlDER = try directory.read("issuing.crl")
        self.requestPEM = String(decoding: try directory.read("leaf.csr"), as: UTF8.self)
    }

    struct ScriptFailed: Error {
        let text: String
    }

    private static let script = """
        cd "$DIR"
        export OPENSSL_CONF="$DIR/openssl.cnf"
        cat > openssl.cnf <<END
        [req]
        distinguished_name = dn
        prompt = no
        [dn]
        CN = replaced
        [ca]
        default_ca = issuing
        [issuing]
        database = index.txt
        crlnumber = crlnumber
        default_md = sha256
        default_crl_days = 7
        [authority]
        basicConstraints = critical,CA:TRUE
        keyUsage = critical,keyCertSign,cRLSign
        subjectKeyIdentifier = hash
        authorityKeyIdentifier = keyid
        [leaf]
        subjectAltName = DNS:localhost,IP:127.0.0.1
        authorityKeyIdentifier = keyid
        END
        : > index.txt
        echo 07 > crlnumber
        ec="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        openssl req -x509 $ec -keyout root.key -out root.pem -subj '/CN=Test Root CA' -days 30 -extensions authority
        openssl req $ec -keyout issuing.key -out issuing.csr -subj '/CN=Test & "Issuing" CA'
        openssl x509 -req -in issuing.csr -CA root.pem -CAkey root.key -set_serial 2 -days 20 -out issuing.pem \
            -extfile openssl.cnf -extensions authority
        openssl req $ec -keyout leaf.key -out leaf.csr -subj '/CN=localhost'
        openssl x509 -req -in leaf.csr -CA issuing.pem -CAkey issuing.key -set_serial 3 -days 10 -out leaf.pem \
            -extfile openssl.cnf -extensions leaf
        openssl req -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.csr -subj '/CN=localhost'
        openssl x509 -req -in rsa.csr -CA issuing.pem -CAkey issuing.key -set_serial 4 -days 10 -out rsa.pem \
            -extfile openssl.cnf -extensions leaf
        openssl ca -gencrl -keyfile issuing.key -cert issuing.pem -out crl.pem
        openssl crl -in crl.pem -outform DER -out issuing.crl
        for name in root issuing leaf; do openssl x509 -in $name.pem -outform DER -out $name.der; done
        cat leaf.pem issuing.pem > chain.pem
        cat rsa.pem issuing.pem > rsachain.pem
        chmod 600 *.key
        """
}

extension TestPKI {
    /// A name with everything that must be escaped in HTML.
    static let caName = "Test & \"Issuing\" CA"

    var caCertificates: [CACertificateRecord] {
        [
            CACertificateRecord(use: .chain, index: 0, keyIndex: 0, certificateDER: self.rootDER, locator: nil),
            CACertificateRecord(use: .own, index: 0, keyIndex: 0, certificateDER: self.issuingDER, locator: nil),
        ]
    }
}

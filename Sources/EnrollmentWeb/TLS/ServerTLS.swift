import Diagnostics
import Foundation
package import KeyProvider
import NIOSSL
import PKIMessages

/// How the server speaks TLS: its certificate with the chain, and its key.
package struct ServerTLS: Sendable {
    private(set) var configuration: TLSConfiguration

    /// The same, asking clients for a certificate of one of these authorities. One that does not verify ends the
    /// handshake; a client without one may still give a password.
    ///
    /// - Parameter file: CA certificates in PEM.
    /// - Throws: ``EnrollmentWebError`` with code `invalidTLSCertificate`.
    package func askingClients(authorities file: String) throws -> ServerTLS {
        var tls = self
        tls.configuration.trustRoots = .certificates(try ServerTLS.chain(file))
        tls.configuration.certificateVerification = .optionalVerification
        return tls
    }

    /// With a key in a file, which only the service's own TLS key may be.
    ///
    /// - Parameters:
    ///   - certificateFile: PEM with the server's certificate first, or one certificate in DER.
    ///   - keyFile: PEM without a password, readable by its owner only.
    /// - Throws: ``EnrollmentWebError`` with code `invalidTLSCertificate` or `invalidTLSKey`.
    package init(certificateFile: String, keyFile: String) throws {
        let chain = try ServerTLS.chain(certificateFile)
        try ServerTLS.checkAccess(of: keyFile)
        let key: NIOSSLPrivateKey
        do {
            key = try NIOSSLPrivateKey(file: keyFile, format: .pem)
        } catch {
            throw EnrollmentWebError.invalidTLSKey(
                keyFile, "it is not a private key in PEM", advice: "Give an unencrypted PKCS #8 key in PEM.")
        }
        try self.init(chain: chain, key: key, isRSAOnToken: false, keyName: keyFile)
    }

    /// With the key on a token: the one whose public key stands in the certificate.
    ///
    /// - Throws: ``EnrollmentWebError`` as above, also when the token has no such key; `KeyProviderError`.
    package init(certificateFile: String, token: any Signing & KeyFinding) async throws {
        let chain = try ServerTLS.chain(certificateFile)
        let publicKey = try ServerTLS.publicKey(of: chain, certificateFile)
        guard let pair = try await token.keyPairs().first(where: { $0.locator.publicKeySHA256 == publicKey.sha256 })
        else {
            throw EnrollmentWebError.invalidTLSKey(
                "on the token", "the token has no key that belongs to the certificate \(certificateFile)",
                advice: "Name the token that holds the key, or have a certificate issued for a key on this token.")
        }
        try self.init(chain: chain, publicKey: publicKey, locator: pair.locator, token: token)
    }

    init(
        chain: [NIOSSLCertificate], publicKey: SubjectPublicKeyInfo, locator: KeyLocator, token: any Signing
    ) throws {
        guard let key = TokenTLSPrivateKey(token: token, locator: locator, publicKey: publicKey) else {
            throw EnrollmentWebError.invalidTLSKey(
                "\(locator.reference)", "its algorithm cannot sign TLS handshakes",
                advice: "Use a key on P-256, P-384 or P-521, or an RSA key.")
        }
        try self.init(
            chain: chain, key: NIOSSLPrivateKey(customPrivateKey: key), isRSAOnToken: publicKey.isRSA,
            keyName: "\(locator.reference)")
    }

    private init(chain: [NIOSSLCertificate], key: NIOSSLPrivateKey, isRSAOnToken: Bool, keyName: String) throws {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        // A token's RSA key signs PKCS #1 v1.5, which ends with TLS 1.2: see `TokenTLSPrivateKey`.
        if isRSAOnToken { configuration.maximumTLSVersion = .tlsv12 }
        configuration.cipherSuiteValues = ServerTLS.cipherSuites
        configuration.applicationProtocols = ["http/1.1"]
        do {
            _ = try NIOSSLContext(configuration: configuration)
        } catch {
            throw EnrollmentWebError.invalidTLSKey(
                keyName, "it does not belong to the certificate",
                advice: "Give the key for which the certificate was issued.")
        }
        self.configuration = configuration
    }

    /// Of TLS 1.2: forward secrecy and authenticated encryption only. Those of TLS 1.3 are always on.
    private static let cipherSuites: [NIOTLSCipher] = [
        .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]

    static func chain(_ path: String) throws -> [NIOSSLCertificate] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw EnrollmentWebError.invalidTLSCertificate(path, "the file cannot be read")
        }
        let bytes = Array(data)
        do {
            let chain =
                bytes.first == 0x30
                ? [try NIOSSLCertificate(bytes: bytes, format: .der)] : try NIOSSLCertificate.fromPEMBytes(bytes)
            guard !chain.isEmpty else { throw EnrollmentWebError.invalidTLSCertificate(path, "it is empty") }
            return chain
        } catch is NIOSSLError {
            throw EnrollmentWebError.invalidTLSCertificate(path, "it holds no certificate in PEM or DER")
        }
    }

    private static func publicKey(of chain: [NIOSSLCertificate], _ path: String) throws -> SubjectPublicKeyInfo {
        guard let leaf = chain.first else { throw EnrollmentWebError.invalidTLSCertificate(path, "it is empty") }
        return try CertificateFields(derEncoded: leaf.toDERBytes()).subjectPublicKeyInfo
    }

    private static func checkAccess(of keyFile: String) throws {
        let attributes: [FileAttributeKey: Any]
        do {
            attributes = try FileManager.default.attributesOfItem(atPath: keyFile)
        } catch {
            throw EnrollmentWebError.invalidTLSKey(
                keyFile, "the file cannot be read", advice: "Check the path and the file's owner.")
        }
        guard let mode = attributes[.posixPermissions] as? NSNumber, mode.intValue & 0o077 == 0 else {
            throw EnrollmentWebError.invalidTLSKey(
                keyFile, "others than its owner may read the file", advice: "Run chmod 600 on the file.")
        }
    }
}

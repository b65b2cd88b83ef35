import CLibCrypto
import CLibCrypto.TLS
import Glibc
import SecretMemory

/// Whom an enrolment service has to be, and who we are.
package struct HTTPTrust: Sendable {
    /// PEM file of the roots that are trusted; `nil` for those of the system.
    package var certificatesPath: String?

    package init(certificatesPath: String? = nil) {
        self.certificatesPath = certificatesPath
    }
}

/// TLS 1.2 or later over a connected socket, with the server's certificate and name verified (RFC 9525).
final class TLSSession {
    private let context: OpaquePointer
    private let connection: OpaquePointer

    /// - Throws: ``HTTPFailure`` with case `notTrusted`.
    init(_ socket: Int32, host: String, trust: HTTPTrust, deadline: ContinuousClock.Instant) throws {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw TLSSession.failure() }
        guard let connection = SSL_new(context) else {
            SSL_CTX_free(context)
            throw TLSSession.failure()
        }
        self.context = context
        self.connection = connection
        let isTrustSet =
            if let path = trust.certificatesPath {
                SSL_CTX_load_verify_locations(context, path, nil)
            } else {
                SSL_CTX_set_default_verify_paths(context)
            }
        guard isTrustSet == 1, signet_SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 else {
            throw TLSSession.failure()
        }
        SSL_set_verify(connection, SSL_VERIFY_PEER, nil)
        var address = in6_addr()
        let isAddress = inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1
        let isNameSet =
            isAddress
            ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host)
            : SSL_set1_host(connection, host) & signet_SSL_set_tlsext_host_name(connection, host)
        guard isNameSet == 1, SSL_set_fd(connection, socket) == 1 else { throw TLSSession.failure() }
        while true {
            let result = SSL_connect(connection)
            if result == 1 { return }
            guard ContinuousClock.now < deadline else { throw HTTPFailure.timedOut }
            if self.wantsMore(Int(result)) { continue }
            let verdict = SSL_get_verify_result(connection)
            guard verdict == Int(X509_V_OK) else {
                ERR_clear_error()
                throw HTTPFailure.notTrusted(String(cString: X509_verify_cert_error_string(verdict)))
            }
            throw TLSSession.failure()
        }
    }

    deinit {
        SSL_free(self.connection)
        SSL_CTX_free(self.context)
        ERR_clear_error()
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        Int(SSL_write(self.connection, bytes.baseAddress, Int32(min(bytes.count, 16 << 10))))
    }

    /// - Returns: 0 at the end that the other side has announced.
    func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = SSL_read(self.connection, buffer.baseAddress, Int32(buffer.count))
        if count <= 0, SSL_get_error(self.connection, count) == SSL_ERROR_ZERO_RETURN { return 0 }
        return count > 0 ? Int(count) : -1
    }

    func wantsMore(_ count: Int) -> Bool {
        [SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE].contains(SSL_get_error(self.connection, Int32(count)))
    }

    private static func failure() -> HTTPFailure {
        let code = ERR_get_error()
        ERR_clear_error()
        let reason = ERR_reason_error_string(code).map { String(cString: $0) }
        return .notTrusted(reason ?? "the TLS connection could not be made")
    }
}

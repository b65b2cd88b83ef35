/// An address that the service listens on, and what it serves there.
package struct Listener: Sendable {
    /// Host name or IP address to bind to.
    package var host: String
    /// TCP port; 0 lets the system choose one.
    package var port: Int
    /// `nil` for plain HTTP.
    package var tls: ServerTLS?
    package var scope: EnrollmentFront.Scope
    /// Serves pages that need a password without TLS on an address that is not this machine's own. For a service
    /// behind a proxy that terminates TLS; refused unless set.
    package var allowsPlainHTTP: Bool
    /// Further connections wait until one ends.
    package var maximumConnections: Int
    /// A connection without a request in progress is closed after so long.
    package var idleTimeoutSeconds: Int64

    package init(
        host: String, port: Int, tls: ServerTLS?, scope: EnrollmentFront.Scope = .everything,
        allowsPlainHTTP: Bool = false, maximumConnections: Int = 1024, idleTimeoutSeconds: Int64 = 60
    ) {
        self.host = host
        self.port = port
        self.tls = tls
        self.scope = scope
        self.allowsPlainHTTP = allowsPlainHTTP
        self.maximumConnections = maximumConnections
        self.idleTimeoutSeconds = idleTimeoutSeconds
    }

    /// - Throws: ``EnrollmentWebError`` with code `plainHTTPRefused`.
    func checkTransport() throws(EnrollmentWebError) {
        guard self.tls == nil, case .everything = self.scope, !self.allowsPlainHTTP, !self.isLoopback else { return }
        throw .plainHTTPRefused(host: self.host)
    }

    private var isLoopback: Bool {
        let parts = self.host.split(separator: ".", omittingEmptySubsequences: false)
        let isIPv4 = parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
        return isIPv4 || self.host == "::1" || self.host.lowercased() == "localhost"
    }
}

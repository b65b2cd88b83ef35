import Hummingbird
import HummingbirdCore
import HummingbirdTLS
package import Logging
import NIOCore
import ServiceLifecycle

/// The web service on one address. Runs until its service group shuts down gracefully: then it takes no new
/// connections, requests in progress finish, and idle connections are closed.
package struct EnrollmentServer: Service {
    private let front: EnrollmentFront
    private let listener: Listener
    private let logger: Logger
    private let onRunning: @Sendable (Int) async -> Void

    /// - Parameter onRunning: called once with the port that is listened on.
    /// - Throws: ``EnrollmentWebError`` with code `plainHTTPRefused`.
    package init(
        front: EnrollmentFront, listener: Listener, logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws {
        try listener.checkTransport()
        self.front = front
        self.listener = listener
        self.logger = logger
        self.onRunning = onRunning
    }

    /// - Throws: ``EnrollmentWebError`` with code `cannotListen`.
    package func run() async throws {
        let http = HTTPServerBuilder.http1(
            configuration: HTTP1Channel.Configuration(
                idleTimeout: .seconds(self.listener.idleTimeoutSeconds),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100)))
        let server = try self.listener.tls.map { try .tls(http, tlsConfiguration: $0.configuration) } ?? http
        let application = Application(
            responder: self.front.responder(self.listener.scope), server: server,
            configuration: ApplicationConfiguration(
                address: .hostname(self.listener.host, port: self.listener.port),
                availableConnectionsDelegate: MaximumAvailableConnections(self.listener.maximumConnections)),
            onServerRunning: { [listener, onRunning] channel in
                await onRunning(channel.localAddress?.port ?? listener.port)
            },
            logger: self.logger)
        do {
            try await application.run()
        } catch let error as IOError {
            throw EnrollmentWebError.cannotListen(
                host: self.listener.host, port: self.listener.port, "\(error)")
        }
    }
}

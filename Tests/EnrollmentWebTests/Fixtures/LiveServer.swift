import Foundation
import Logging
import ServiceLifecycle
import TestSupport

@testable import EnrollmentWeb

/// Runs the web front on a loopback port for the time of one test.
enum LiveServer {
    /// - Parameter body: gets the port; the server stops gracefully when it returns.
    static func run<R: Sendable>(
        _ front: EnrollmentFront, tls: ServerTLS?, log: RecordedLog = RecordedLog(),
        _ body: @Sendable (Int, ServiceGroup) async throws -> R
    ) async throws -> R {
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        let logger = Logger(label: "test", factory: { _ in log.handler })
        let server = try EnrollmentServer(
            front: front, listener: Listener(host: "127.0.0.1", port: 0, tls: tls), logger: logger
        ) { port in
            continuation.yield(port)
        }
        let group = ServiceGroup(services: [server], logger: logger)
        async let running: Void = group.run()
        guard let port = await ports.first(where: { _ in true }) else { throw CancellationError() }
        let result: R
        do {
            result = try await body(port, group)
        } catch {
            await group.triggerGracefulShutdown()
            try await running
            throw error
        }
        await group.triggerGracefulShutdown()
        try await running
        return result
    }
}

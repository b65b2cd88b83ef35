import ArgumentParser
import CAService
import Diagnostics
import EnrollmentWeb
import Foundation
import Logging

/// The enrolment service.
@main
struct SignetService: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signetd",
        abstract: "Serves /certsrv, CA certificates and CRLs of one instance. Stops gracefully on SIGTERM.",
        version: CAServiceVersion.text)

    @Option(name: .long, help: "The instance's directory.")
    var instance: String = ProcessInfo.processInfo.environment["SIGNET_INSTANCE"] ?? "."

    @Flag(name: .long, help: "Serve passwords over plain HTTP on any address: only behind a proxy that does TLS.")
    var allowPlainHTTP = false

    func run() async throws {
        let logger = Logger(label: "signetd") { LineLogHandler.standardError(label: $0) }
        do {
            try ProcessHardening.begin()
            try await ServiceComposition(
                directory: self.instance, allowPlainHTTP: self.allowPlainHTTP, logger: logger
            ).run()
        } catch {
            // One line a fact, so that the log stays readable; secrets are not representable in an error.
            let report = ErrorReport(error)
            for line in report.lines(tokenOptions: "--instance \(self.instance)") { logger.critical("\(line)") }
            throw ExitCode.failure
        }
    }
}

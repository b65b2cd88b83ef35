import CAService
import Diagnostics
import Logging
import ServiceLifecycle

/// Has changed templates used. What is wrong with them is logged once, and looked at again at the next look: the CA goes on
/// with those that it has.
struct TemplateTimer: Service {
    let watch: TemplateWatch
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var told: [String] = []
            while !Task.isCancelled {
                told = await self.look(told: told)
                // Cancellation ends the sleep and with it the loop.
                try? await Task.sleep(for: self.interval)
            }
        }
    }

    /// - Parameter told: what the last look has complained about.
    /// - Returns: what this one has.
    private func look(told: [String]) async -> [String] {
        do {
            guard let templates = try await self.watch.look() else { return told }
            self.logger.info("templates changed", metadata: ["now": "\(templates.joined(separator: ", "))"])
            return []
        } catch {
            let lines = ErrorReport(error).lines
            guard lines != told else { return told }
            for line in lines { self.logger.error("changed templates not used: \(line)") }
            return lines
        }
    }
}

import Diagnostics
import Logging
import ServiceLifecycle

/// Does a piece of work now and again after each period, until the service is to stop.
func repeatedly(every interval: Duration, _ work: @escaping @Sendable () async -> Void) async {
    await cancelWhenGracefulShutdown {
        while !Task.isCancelled {
            await work()
            // Cancellation ends the sleep and with it the loop.
            try? await Task.sleep(for: interval)
        }
    }
}

extension Logger {
    /// Tells of a failure that is met again by the next attempt.
    func report(_ error: any Error, _ what: String) {
        for line in ErrorReport(error).lines { self.error("\(what): \(line)") }
    }
}

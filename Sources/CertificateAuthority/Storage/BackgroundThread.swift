import Foundation
import Glibc

/// Work of many seconds that leaves the processor to requests, and the threads that all tasks share to them.
package enum BackgroundThread {
    /// nice(2): about a tenth of what a thread of a request gets when both want the processor, and all of an idle one.
    private static let niceness: Int32 = 10

    /// Runs `body` on a thread of its own, which ends with it: an unprivileged process cannot raise a priority again.
    package static func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                // On Linux that is the thread, not the process (nice(2), "C library/kernel differences"). Work at the usual
                // priority is no error.
                _ = nice(BackgroundThread.niceness)
                continuation.resume(with: Result { try body() })
            }
        }
    }
}

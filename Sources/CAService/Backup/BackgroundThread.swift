import Foundation
import Glibc

/// Work of many seconds that leaves the processor to requests.
enum BackgroundThread {
    /// nice(2): about a third of what a thread of a request gets when both want the processor, and all of an idle one.
    private static let niceness: Int32 = 5

    /// Runs `body` on a thread of its own, which ends with it.
    static func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                // On Linux that is the thread, not the process (nice(2)). The usual priority is no error.
                _ = nice(BackgroundThread.niceness)
                continuation.resume(with: Result { try body() })
            }
        }
    }
}

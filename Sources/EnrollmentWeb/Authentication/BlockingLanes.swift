import Dispatch
import Synchronization

/// A few threads for work that blocks or computes for long, apart from the threads that serve requests.
///
/// The queue is bounded: when too much waits, new work is refused at once instead of piling up.
final class BlockingLanes: Sendable {
    private let lanes: [DispatchQueue]
    private let maximumWaiting: Int
    private let state = Mutex((waiting: 0, next: 0))

    init(label: String, count: Int, maximumWaiting: Int) {
        self.lanes = (0..<max(count, 1)).map { DispatchQueue(label: "\(label).\($0)") }
        self.maximumWaiting = maximumWaiting
    }

    /// How much runs or waits now.
    var waiting: Int { self.state.withLock { $0.waiting } }

    /// Runs `body` on one of the threads.
    ///
    /// - Throws: ``EnrollmentWebError`` with code `busy` when too much waits, and what `body` throws.
    func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        let lane = try self.state.withLock { state in
            guard state.waiting < self.maximumWaiting else { throw EnrollmentWebError.busy }
            state.waiting += 1
            state.next = (state.next + 1) % self.lanes.count
            return state.next
        }
        defer { self.state.withLock { $0.waiting -= 1 } }
        return try await withCheckedThrowingContinuation { continuation in
            self.lanes[lane].async {
                continuation.resume(with: Result { try body() })
            }
        }
    }
}

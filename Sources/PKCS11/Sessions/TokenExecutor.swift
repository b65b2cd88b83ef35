internal import Synchronization

/// Runs tasks on the threads of a token, so that a task which works with the token does not change threads for it.
///
/// Each call into the token is still work of its own that the task waits for, so a call that hangs is given up and its
/// task goes on, on another thread of the token or, when too many hang to start one, on the threads that all tasks
/// share. The same holds when the token is closed. Tasks that run long without the token keep its threads from others.
public final class TokenExecutor: TaskExecutor {
    private let pool = Mutex<WorkerPool?>(nil)
    private let seatKey = WorkerSeat.key

    public init() {}

    public func enqueue(_ job: consuming ExecutorJob) {
        let task = UnownedJob(job)
        if let seat = WorkerSeat.current(self.seatKey), seat.keeps(task, of: self) { return }
        if let pool = self.pool.withLock({ $0 }), pool.enqueue(task) { return }
        TokenExecutor.runElsewhere(task)
    }

    /// Has tasks run on the threads of `pool` from now on.
    func adopt(_ pool: WorkerPool) { self.pool.withLock { $0 = pool } }

    /// Ends the use of the threads of `pool`.
    func leave(_ pool: WorkerPool) {
        self.pool.withLock { present in
            if present === pool { present = nil }
        }
    }

    /// Has a task go on where tasks without an executor do.
    static func runElsewhere(_ task: UnownedJob) { globalConcurrentExecutor.enqueue(ExecutorJob(task)) }
}

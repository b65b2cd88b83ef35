internal import Glibc
internal import Synchronization

/// What one thread of a token is doing.
///
/// What it does inside the module stands under a lock of its own, for the watcher; the other members are touched by the
/// thread itself only. They are written several times for each signature, so that they have cache lines of their own: seats
/// are made one after the other, and two processors that write to one line wait for each other.
final class WorkerSeat {
    /// A cache line, and the one that processors fetch with it.
    private typealias Gap = InlineArray<16, UInt64>

    /// What the watcher has to see.
    private struct Inside {
        /// The work that is inside the module, perhaps.
        var work: TokenWork?
        var began: UInt64 = 0
        var isAbandoned = false
    }

    private let gapBefore = Gap(repeating: 0)
    private let inside = Mutex(Inside())
    /// Whose thread this is: the pool has the work, the executor the tasks. `unsafe`: the thread itself holds the pool.
    private unowned(unsafe) let pool: WorkerPool
    private let executor: TokenExecutor?
    private var phase = Phase.between
    /// The task that the last work has answered.
    private var ownTask: UnownedJob?
    /// What the last task waits for.
    private var ownWork: TokenWork?
    private let gapAfter = Gap(repeating: 0)

    private enum Phase {
        case between
        /// Running a task: whoever submits work suspends right after.
        case task
        /// Answering a caller, as the last thing of the work.
        case answer
    }

    init(pool: WorkerPool, executor: TokenExecutor?) {
        self.pool = pool
        self.executor = executor
    }

    /// Runs a task until it suspends.
    func run(_ task: UnownedJob) {
        guard let executor = self.executor else { return }
        self.phase = .task
        task.runSynchronously(on: executor.asUnownedTaskExecutor())
        self.phase = .between
    }

    /// Answers a caller; a task of this executor that goes on by it is run next by this thread.
    func answer(_ work: TokenWork, _ error: (any Error)?) {
        self.phase = .answer
        work.answer(error)
        self.phase = .between
    }

    /// Takes the task for this thread, when this thread has just answered it.
    func keeps(_ task: UnownedJob, of executor: TokenExecutor) -> Bool {
        guard self.phase == .answer, self.ownTask == nil, self.executor === executor else { return false }
        self.ownTask = task
        return true
    }

    /// Takes the work for this thread, when the task that this thread runs waits for it.
    func keeps(_ work: TokenWork, of pool: WorkerPool) -> Bool {
        guard self.phase == .task, self.ownWork == nil, self.pool === pool else { return false }
        self.ownWork = work
        return true
    }

    /// What the thread has kept for itself: one of both at most.
    func takeOwn() -> (work: TokenWork?, task: UnownedJob?) {
        defer { (self.ownWork, self.ownTask) = (nil, nil) }
        return (self.ownWork, self.ownTask)
    }

    /// The time that the work may take which the thread has kept.
    var ownLimit: UInt64? { self.ownWork?.limit }

    // MARK: Inside the module

    /// Enters the module.
    func enter(_ work: TokenWork, at now: UInt64) {
        self.inside.withLock { inside in
            inside.work = work
            inside.began = now
        }
    }

    /// Leaves the module.
    ///
    /// - Returns: `false` when the caller was told meanwhile that the call hangs: the thread is not counted any more.
    func leave() -> Bool {
        self.inside.withLock { inside in
            inside.work = nil
            return !inside.isAbandoned
        }
    }

    var isAbandoned: Bool { self.inside.withLock { $0.isAbandoned } }

    /// Gives up the thread, and takes its work, when that takes too long.
    func takeOverdue(at now: UInt64) -> (work: TokenWork, waited: UInt64)? {
        self.inside.withLock { inside in
            guard let work = inside.work, now > inside.began, now - inside.began > work.limit else { return nil }
            inside.work = nil
            inside.isAbandoned = true
            return (work, now - inside.began)
        }
    }

    // MARK: The calling thread's seat

    /// Where each thread of a token has its seat; no other thread has one.
    static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    /// The seat of the calling thread, when it is a token's.
    ///
    /// - Parameter key: ``key``, kept by the caller, since asking for it costs more than this.
    static func current(_ key: pthread_key_t) -> WorkerSeat? {
        pthread_getspecific(key).map { Unmanaged<WorkerSeat>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Runs `body` with this seat as the calling thread's.
    func occupied(_ body: () -> Void) {
        pthread_setspecific(WorkerSeat.key, Unmanaged.passUnretained(self).toOpaque())
        body()
        pthread_setspecific(WorkerSeat.key, nil)
    }
}

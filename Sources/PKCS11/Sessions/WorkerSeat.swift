internal import Glibc

/// What one thread of a token is doing.
///
/// The first members are touched only with the pool's `mutex` held, the others by the thread itself only.
final class WorkerSeat {
    /// The job that is inside the module, perhaps.
    var job: WorkerJob?
    var began: UInt64 = 0
    var isAbandoned = false
    /// Sessions from before this number are lost.
    var epoch = 0

    /// Whose thread this is: the pool has the jobs, the executor the tasks.
    private unowned let pool: WorkerPool
    private let executor: TokenExecutor?
    private var phase = Phase.between
    /// The task that the last job has answered.
    var ownTask: UnownedJob?
    /// What the last task waits for.
    var ownJob: WorkerJob?

    private enum Phase {
        case between
        /// Running a task: whoever submits a job suspends right after.
        case task
        /// Answering a caller, as the last thing of a job.
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
    func answer(_ body: () -> Void) {
        self.phase = .answer
        body()
        self.phase = .between
    }

    /// Takes the task for this thread, when this thread has just answered it.
    func keeps(_ task: UnownedJob, of executor: TokenExecutor) -> Bool {
        guard self.phase == .answer, self.ownTask == nil, self.executor === executor else { return false }
        self.ownTask = task
        return true
    }

    /// Takes the job for this thread, when the task that this thread runs waits for it.
    func keeps(_ job: WorkerJob, of pool: WorkerPool) -> Bool {
        guard self.phase == .task, self.ownJob == nil, self.pool === pool else { return false }
        self.ownJob = job
        return true
    }

    // MARK: The calling thread's seat

    /// Where each thread of a token has its seat; no other thread has one.
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    /// The seat of the calling thread, when it is a token's.
    static var current: WorkerSeat? {
        pthread_getspecific(self.key).map { Unmanaged<WorkerSeat>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Runs `body` with this seat as the calling thread's.
    func occupied(_ body: () -> Void) {
        pthread_setspecific(WorkerSeat.key, Unmanaged.passUnretained(self).toOpaque())
        body()
        pthread_setspecific(WorkerSeat.key, nil)
    }
}

internal import Diagnostics
internal import Glibc

/// The threads of one token. Calls into a token block for as long as the device pleases, so they never run on the
/// cooperative pool of Swift concurrency.
///
/// A call that takes longer than it may is given up: its caller is answered, its thread is left alone and counted, and
/// another thread takes its place while there are not too many of those.
///
/// `@unchecked Sendable`: every mutable member is touched only with `mutex` held.
final class WorkerPool: @unchecked Sendable {
    private enum Next {
        case job(WorkerJob, began: UInt64, mayHandBack: Bool)
        case task(UnownedJob)
        /// A job that came after the pool was stopped.
        case late(WorkerJob)
        /// Nothing to do for as long as the device keeps an idle session.
        case idle
        case stop
    }

    let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    let watch = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    var jobs: [WorkerJob] = []
    /// Tasks of ``executor``.
    var tasks: [UnownedJob] = []
    /// Jobs and tasks take turns.
    private var isTurnOfTasks = false
    var seats: [WorkerSeat] = []
    private var idleWorkers = 0
    /// Those of the idle workers that have to be woken.
    private var sleepingWorkers = 0
    var abandonedWorkers = 0
    var limit: Int
    private let size: Int
    var isStopped = false
    private var epoch = 0
    var shortestLimit = UInt64.max
    private var isWatched = false
    var watchSleeps = false
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private let slot: Slot
    private let token: TokenIdentification
    private let idleLimit: UInt64?
    private let executor: TokenExecutor?

    /// - Parameter executor: whose tasks run on these threads, from now until they are stopped.
    init(slot: Slot, token: TokenIdentification, size: Int, idleLimit: UInt64?, executor: TokenExecutor?) {
        self.executor = executor
        self.slot = slot
        self.token = token
        self.size = max(1, size)
        self.limit = self.size
        self.idleLimit = idleLimit
        var monotonic = pthread_condattr_t()
        pthread_condattr_init(&monotonic)
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC)
        pthread_mutex_init(self.mutex, nil)
        pthread_cond_init(self.condition, &monotonic)
        pthread_cond_init(self.watch, &monotonic)
        pthread_condattr_destroy(&monotonic)
        executor?.adopt(self)
    }

    deinit {
        pthread_cond_destroy(self.condition)
        pthread_cond_destroy(self.watch)
        pthread_mutex_destroy(self.mutex)
        self.condition.deallocate()
        self.watch.deallocate()
        self.mutex.deallocate()
    }

    func locked<R>(_ body: () -> R) -> R {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        return body()
    }

    /// How many threads there may be, and how many hang in the module now.
    var state: (limit: Int, abandoned: Int) { self.locked { (self.limit, self.abandonedWorkers) } }

    /// Queues a job; starts a thread when none is free and the limit allows one. The job is answered in every case.
    ///
    /// - Parameter caller: the calling thread's seat, where the caller is a task that waits for the job.
    func submit(_ job: WorkerJob, from caller: WorkerSeat? = nil) {
        if let caller, caller.keeps(job, of: self) { return }
        let refusal = self.locked { () -> TokenWaitError.Code? in
            guard !self.isStopped else { return .closed }
            guard self.hasThread() else { return .wedged }
            self.jobs.append(job)
            self.watch(job)
            if self.sleepingWorkers > 0 { pthread_cond_signal(self.condition) }
            return nil
        }
        if let refusal { job.giveUp(refusal, waited: 0) }
    }

    /// Queues a task of ``executor``.
    ///
    /// - Returns: `false` when no thread of this pool will run it.
    func enqueue(_ task: UnownedJob) -> Bool {
        self.locked {
            guard !self.isStopped, self.hasThread() else { return false }
            self.tasks.append(task)
            if self.sleepingWorkers > 0 { pthread_cond_signal(self.condition) }
            return true
        }
    }

    /// With `mutex` held: starts a thread when none is free for one thing more, and tells whether there is any.
    private func hasThread() -> Bool {
        if self.idleWorkers <= self.jobs.count + self.tasks.count && self.seats.count < self.limit && !self.isWedged {
            _ = self.startWorker()
        }
        return !self.seats.isEmpty
    }

    /// With `mutex` held: has the watcher look in time for this job.
    private func watch(_ job: WorkerJob) {
        self.shortestLimit = min(self.shortestLimit, job.terms.limit)
        if self.watchSleeps { pthread_cond_signal(self.watch) }
    }

    /// As many threads hang as there may be at work: a further one would hang as well.
    var isWedged: Bool { self.abandonedWorkers >= max(2, self.size) }

    /// Declares all sessions lost: each thread opens a new one before its next job.
    func discardSessions() { self.locked { self.epoch += 1 } }

    /// Lets the queued jobs end, then the threads, which close their sessions.
    func stop() {
        self.executor?.leave(self)
        self.locked {
            self.isStopped = true
            pthread_cond_broadcast(self.condition)
            pthread_cond_signal(self.watch)
        }
    }

    /// ``stop()``, and returns when the last session is closed, or hangs.
    func stopAndWait() async {
        self.stop()
        await withCheckedContinuation { continuation in
            let done = self.locked {
                if !self.seats.isEmpty { self.waiters.append(continuation) }
                return self.seats.isEmpty
            }
            if done { continuation.resume() }
        }
    }

    // MARK: Threads

    func startWorker() -> Bool {
        let seat = WorkerSeat(pool: self, executor: self.executor)
        guard self.start({ $0.work(seat) }) else { return false }
        self.seats.append(seat)
        if !self.isWatched { self.isWatched = self.start { $0.watchWorkers() } }
        return true
    }

    /// A thread's work, carried through the `void *` of its start.
    private final class Start {
        let pool: WorkerPool
        let body: (WorkerPool) -> Void

        init(_ pool: WorkerPool, _ body: @escaping (WorkerPool) -> Void) {
            self.pool = pool
            self.body = body
        }
    }

    private func start(_ body: @escaping (WorkerPool) -> Void) -> Bool {
        let reference = Unmanaged.passRetained(Start(self, body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                start.body(start.pool)
                return nil
            }, reference.toOpaque())
        guard result == 0 else {
            reference.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private func work(_ seat: WorkerSeat) {
        seat.occupied { self.runJobs(seat) }
        self.left(seat)
    }

    private func left(_ seat: WorkerSeat) {
        let ended = self.locked { () -> [CheckedContinuation<Void, Never>] in
            if seat.isAbandoned { self.abandonedWorkers -= 1 } else { self.seats.removeAll { $0 === seat } }
            return self.waitersIfEmpty()
        }
        for continuation in ended { continuation.resume() }
    }

    /// With `mutex` held: whoever waits for the end, when it has come.
    func waitersIfEmpty() -> [CheckedContinuation<Void, Never>] {
        guard self.seats.isEmpty else { return [] }
        pthread_cond_signal(self.watch)
        defer { self.waiters = [] }
        return self.waiters
    }

    /// Runs jobs until the pool stops, or the worker is retired or given up. Its session closes when this returns.
    private func runJobs(_ seat: WorkerSeat) {
        let worker = Worker(slot: self.slot, token: self.token, seat: seat)
        while true {
            switch self.next(seat, hasSession: worker.openSession != nil) {
            case .stop: return
            case .idle: worker.closeSession()
            case .task(let task): seat.run(task)
            case .late(let job): job.giveUp(.closed, waited: 0)
            case .job(let job, let began, let mayHandBack):
                worker.begin(epoch: seat.epoch, at: began, idleLimit: self.idleLimit)
                if job.run(worker, mayHandBack: mayHandBack) { continue }
                if self.retire(seat, handingBack: job) { return }
                _ = job.run(worker, mayHandBack: false)
            }
        }
    }

    /// Makes the pool smaller by the calling worker for good, unless it is the last one.
    private func retire(_ seat: WorkerSeat, handingBack job: WorkerJob) -> Bool {
        self.locked {
            guard !seat.isAbandoned, self.seats.count > 1 else { return false }
            self.seats.removeAll { $0 === seat }
            self.limit = self.seats.count
            seat.job = nil
            self.jobs.insert(job, at: 0)
            pthread_cond_signal(self.condition)
            return true
        }
    }

    private func next(_ seat: WorkerSeat, hasSession: Bool) -> Next {
        // Let go outside of the lock: a job can be the last to hold its token, whose end asks for the lock.
        var done: WorkerJob?
        defer { withExtendedLifetime(done) {} }
        return self.locked {
            (done, seat.job) = (seat.job, nil)
            guard !seat.isAbandoned else { return .stop }
            if self.jobs.isEmpty && self.tasks.isEmpty || self.isStopped {
                // Nobody else waits: this thread goes on with what it has.
                if let own = self.own(seat) { return own }
                guard self.wait(hasSession: hasSession) else { return .idle }
            } else {
                self.share(seat)
            }
            let isTask = self.jobs.isEmpty || self.isTurnOfTasks && !self.tasks.isEmpty
            guard !isTask || !self.tasks.isEmpty else { return .stop }
            self.isTurnOfTasks = !isTask
            return isTask
                ? .task(self.tasks.removeFirst()) : self.begin(self.jobs.removeFirst(), seat, at: MonotonicClock.now)
        }
    }

    /// With `mutex` held: what a thread has for itself.
    private func own(_ seat: WorkerSeat) -> Next? {
        if let job = seat.ownJob {
            seat.ownJob = nil
            if self.isStopped { return .late(job) }
            self.watch(job)
            return self.begin(job, seat, at: job.queued)
        }
        if let task = seat.ownTask {
            seat.ownTask = nil
            return .task(task)
        }
        return nil
    }

    /// With `mutex` held: queues what a thread has for itself behind what others wait for.
    private func share(_ seat: WorkerSeat) {
        guard seat.ownJob != nil || seat.ownTask != nil else { return }
        if let job = seat.ownJob {
            seat.ownJob = nil
            self.jobs.append(job)
            self.watch(job)
        }
        if let task = seat.ownTask {
            seat.ownTask = nil
            self.tasks.append(task)
        }
        // Who was woken for what this thread takes instead may sleep again by now.
        if self.sleepingWorkers > 0 { pthread_cond_signal(self.condition) }
    }

    /// With `mutex` held.
    private func begin(_ job: WorkerJob, _ seat: WorkerSeat, at now: UInt64) -> Next {
        seat.job = job
        seat.epoch = self.epoch
        seat.began = now
        return .job(job, began: seat.began, mayHandBack: self.seats.count > 1)
    }

    /// With `mutex` held: returns when there is something to do or nothing will come any more, and `false` after the
    /// time for which the device keeps an idle session.
    private func wait(hasSession: Bool) -> Bool {
        self.idleWorkers += 1
        defer { self.idleWorkers -= 1 }
        let deadline = hasSession ? self.idleLimit.map { MonotonicClock.deadline(at: MonotonicClock.now + $0) } : nil
        while self.jobs.isEmpty && self.tasks.isEmpty && !self.isStopped {
            self.sleepingWorkers += 1
            defer { self.sleepingWorkers -= 1 }
            guard var deadline else {
                pthread_cond_wait(self.condition, self.mutex)
                continue
            }
            if pthread_cond_timedwait(self.condition, self.mutex, &deadline) == ETIMEDOUT { return false }
        }
        return true
    }
}

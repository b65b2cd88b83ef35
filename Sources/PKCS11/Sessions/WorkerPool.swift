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
    /// What one thread is doing.
    private final class Seat {
        var job: WorkerJob?
        var began: UInt64 = 0
        var isAbandoned = false
        /// Sessions from before this number are lost.
        var epoch = 0
    }

    private enum Next {
        case job(WorkerJob, mayHandBack: Bool)
        /// Nothing to do for as long as the device keeps an idle session.
        case idle
        case stop
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let watch = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [WorkerJob] = []
    private var seats: [Seat] = []
    private var idleWorkers = 0
    /// Those of the idle workers that have to be woken.
    private var sleepingWorkers = 0
    private var abandonedWorkers = 0
    private var limit: Int
    private let size: Int
    private var isStopped = false
    private var epoch = 0
    private var shortestLimit = UInt64.max
    private var isWatched = false
    private var watchSleeps = false
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private let slot: Slot
    private let token: TokenIdentification
    private let idleLimit: UInt64?

    init(slot: Slot, token: TokenIdentification, size: Int, idleLimit: UInt64?) {
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
    }

    deinit {
        pthread_cond_destroy(self.condition)
        pthread_cond_destroy(self.watch)
        pthread_mutex_destroy(self.mutex)
        self.condition.deallocate()
        self.watch.deallocate()
        self.mutex.deallocate()
    }

    private func locked<R>(_ body: () -> R) -> R {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        return body()
    }

    /// How many threads there may be, and how many hang in the module now.
    var state: (limit: Int, abandoned: Int) { self.locked { (self.limit, self.abandonedWorkers) } }

    /// Queues a job; starts a thread when none is free and the limit allows one. The job is answered in every case.
    func submit(_ job: WorkerJob) {
        let refusal = self.locked { () -> TokenWaitError.Code? in
            guard !self.isStopped else { return .closed }
            if self.idleWorkers <= self.jobs.count && self.seats.count < self.limit && !self.isWedged {
                _ = self.startWorker()
            }
            guard !self.seats.isEmpty else { return .wedged }
            self.jobs.append(job)
            self.shortestLimit = min(self.shortestLimit, job.limit)
            if self.sleepingWorkers > 0 { pthread_cond_signal(self.condition) }
            if self.watchSleeps { pthread_cond_signal(self.watch) }
            return nil
        }
        if let refusal { job.giveUp(refusal, waited: 0) }
    }

    /// As many threads hang as there may be at work: a further one would hang as well.
    private var isWedged: Bool { self.abandonedWorkers >= max(2, self.size) }

    /// Declares all sessions lost: each thread opens a new one before its next job.
    func discardSessions() { self.locked { self.epoch += 1 } }

    /// Lets the queued jobs end, then the threads, which close their sessions.
    func stop() {
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

    private func startWorker() -> Bool {
        let seat = Seat()
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

    private func work(_ seat: Seat) {
        self.runJobs(seat)
        self.left(seat)
    }

    private func left(_ seat: Seat) {
        let ended = self.locked { () -> [CheckedContinuation<Void, Never>] in
            if seat.isAbandoned { self.abandonedWorkers -= 1 } else { self.seats.removeAll { $0 === seat } }
            return self.waitersIfEmpty()
        }
        for continuation in ended { continuation.resume() }
    }

    /// With `mutex` held: whoever waits for the end, when it has come.
    private func waitersIfEmpty() -> [CheckedContinuation<Void, Never>] {
        guard self.seats.isEmpty else { return [] }
        pthread_cond_signal(self.watch)
        defer { self.waiters = [] }
        return self.waiters
    }

    /// Runs jobs until the pool stops, or the worker is retired or given up. Its session closes when this returns.
    private func runJobs(_ seat: Seat) {
        let worker = Worker(slot: self.slot, token: self.token)
        while true {
            switch self.next(seat, hasSession: worker.openSession != nil) {
            case .stop: return
            case .idle: worker.closeSession()
            case .job(let job, let mayHandBack):
                worker.adopt(epoch: seat.epoch)
                if job.run(worker, mayHandBack: mayHandBack) { continue }
                if self.retire(seat, handingBack: job) { return }
                _ = job.run(worker, mayHandBack: false)
            }
        }
    }

    /// Makes the pool smaller by the calling worker for good, unless it is the last one.
    private func retire(_ seat: Seat, handingBack job: WorkerJob) -> Bool {
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

    private func next(_ seat: Seat, hasSession: Bool) -> Next {
        self.locked {
            seat.job = nil
            guard !seat.isAbandoned else { return .stop }
            self.idleWorkers += 1
            defer { self.idleWorkers -= 1 }
            let deadline =
                hasSession ? self.idleLimit.map { MonotonicClock.deadline(at: MonotonicClock.now + $0) } : nil
            while self.jobs.isEmpty && !self.isStopped {
                self.sleepingWorkers += 1
                defer { self.sleepingWorkers -= 1 }
                guard var deadline else {
                    pthread_cond_wait(self.condition, self.mutex)
                    continue
                }
                if pthread_cond_timedwait(self.condition, self.mutex, &deadline) == ETIMEDOUT { return .idle }
            }
            guard !self.jobs.isEmpty else { return .stop }
            let job = self.jobs.removeFirst()
            seat.job = job
            seat.epoch = self.epoch
            seat.began = MonotonicClock.now
            return .job(job, mayHandBack: self.seats.count > 1)
        }
    }

    // MARK: Watching

    /// The thread that gives up what takes too long. It looks now and then while there is work, so that beginning a
    /// job costs no wake-up, and sleeps when there is none.
    private func watchWorkers() {
        while let given = self.nextLook() {
            for (job, code, waited) in given.jobs { job.giveUp(code, waited: waited) }
            for continuation in given.ended { continuation.resume() }
        }
    }

    private typealias Given = (
        jobs: [(WorkerJob, TokenWaitError.Code, UInt64)], ended: [CheckedContinuation<Void, Never>]
    )

    /// - Returns: `nil` when there will be nothing to watch any more.
    private func nextLook() -> Given? {
        self.locked {
            if self.isStopped && self.seats.isEmpty { return nil }
            if self.jobs.isEmpty && self.seats.allSatisfy({ $0.job == nil }) {
                self.shortestLimit = .max
                self.watchSleeps = true
                pthread_cond_wait(self.watch, self.mutex)
                self.watchSleeps = false
            } else {
                // A quarter of the shortest limit, 10 ms at least and half a second at most.
                let pause = min(max(self.shortestLimit / 4, 10_000_000), 500_000_000)
                var deadline = MonotonicClock.deadline(at: MonotonicClock.now + pause)
                pthread_cond_timedwait(self.watch, self.mutex, &deadline)
            }
            let given = self.overdue(at: MonotonicClock.now)
            return (given, self.isStopped ? self.waitersIfEmpty() : [])
        }
    }

    /// With `mutex` held: takes away what is overdue.
    private func overdue(at now: UInt64) -> [(WorkerJob, TokenWaitError.Code, UInt64)] {
        var given: [(WorkerJob, TokenWaitError.Code, UInt64)] = []
        for seat in self.seats {
            guard let job = seat.job, now > seat.began, now - seat.began > job.limit else { continue }
            seat.isAbandoned = true
            self.abandonedWorkers += 1
            given.append((job, .hung, now - seat.began))
        }
        self.seats.removeAll { $0.isAbandoned }
        while !self.jobs.isEmpty && self.seats.count < min(self.limit, self.jobs.count) && !self.isWedged {
            guard self.startWorker() else { break }
        }
        let isDead = self.seats.isEmpty
        self.jobs.removeAll { job in
            let waited = now > job.queued ? now - job.queued : 0
            guard isDead || waited > job.queueLimit else { return false }
            given.append((job, isDead ? .wedged : .busy, waited))
            return true
        }
        return given
    }
}

internal import Diagnostics
internal import Glibc

/// The threads of one token. Calls into a token block for as long as the device pleases, so they never run on the
/// cooperative pool of Swift concurrency.
///
/// `@unchecked Sendable`: every mutable member is touched only with `mutex` held.
final class WorkerPool: @unchecked Sendable {
    /// Work for one thread. Answers `false` when it got no session, did nothing, and may be handed to another
    /// worker: only when the second argument allows that.
    typealias Job = @Sendable (_ worker: Worker, _ mayHandBack: Bool) -> Bool

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [Job] = []
    private var idleWorkers = 0
    private var liveWorkers = 0
    private var limit: Int
    private var isStopped = false
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private let slot: Slot
    private let token: TokenIdentification

    init(slot: Slot, token: TokenIdentification, size: Int) {
        self.slot = slot
        self.token = token
        self.limit = max(1, size)
        pthread_mutex_init(self.mutex, nil)
        pthread_cond_init(self.condition, nil)
    }

    deinit {
        pthread_cond_destroy(self.condition)
        pthread_mutex_destroy(self.mutex)
        self.condition.deallocate()
        self.mutex.deallocate()
    }

    private func locked<R>(_ body: () -> R) -> R {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        return body()
    }

    /// Queues a job; starts a thread when none is free and the limit allows one.
    ///
    /// - Returns: `false` when the pool is stopped or the system gives no thread.
    func submit(_ job: @escaping Job) -> Bool {
        self.locked {
            guard !self.isStopped else { return false }
            if self.idleWorkers <= self.jobs.count && self.liveWorkers < self.limit {
                guard self.startWorker() || self.liveWorkers > 0 else { return false }
            }
            self.jobs.append(job)
            pthread_cond_signal(self.condition)
            return true
        }
    }

    /// Lets the queued jobs end, then the threads, which close their sessions.
    func stop() {
        self.locked {
            self.isStopped = true
            pthread_cond_broadcast(self.condition)
        }
    }

    /// ``stop()``, and returns when the last session is closed.
    func stopAndWait() async {
        self.stop()
        await withCheckedContinuation { continuation in
            let done = self.locked {
                if self.liveWorkers > 0 { self.waiters.append(continuation) }
                return self.liveWorkers == 0
            }
            if done { continuation.resume() }
        }
    }

    private func startWorker() -> Bool {
        let reference = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<WorkerPool>.fromOpaque(argument).takeRetainedValue().work()
                return nil
            }, reference.toOpaque())
        guard result == 0 else {
            reference.release()
            return false
        }
        pthread_detach(thread)
        self.liveWorkers += 1
        return true
    }

    private func work() {
        let retired = self.runJobs()
        let ended = self.locked { () -> [CheckedContinuation<Void, Never>] in
            if !retired { self.liveWorkers -= 1 }
            guard self.liveWorkers == 0 else { return [] }
            defer { self.waiters = [] }
            return self.waiters
        }
        for continuation in ended { continuation.resume() }
    }

    /// Runs jobs until the pool stops. The worker's session closes when this returns.
    ///
    /// - Returns: true when the worker was retired, because the device allows no further session.
    private func runJobs() -> Bool {
        let worker = Worker(slot: self.slot, token: self.token)
        while let job = self.next() {
            if job(worker, self.locked { self.liveWorkers > 1 }) { continue }
            if self.retire(handingBack: job) { return true }
            _ = job(worker, false)
        }
        return false
    }

    /// Makes the pool smaller by the calling worker for good, unless it is the last one.
    private func retire(handingBack job: @escaping Job) -> Bool {
        self.locked {
            guard self.liveWorkers > 1 else { return false }
            self.liveWorkers -= 1
            self.limit = self.liveWorkers
            self.jobs.insert(job, at: 0)
            pthread_cond_signal(self.condition)
            return true
        }
    }

    private func next() -> Job? {
        self.locked {
            self.idleWorkers += 1
            while self.jobs.isEmpty && !self.isStopped { pthread_cond_wait(self.condition, self.mutex) }
            self.idleWorkers -= 1
            return self.jobs.isEmpty ? nil : self.jobs.removeFirst()
        }
    }
}

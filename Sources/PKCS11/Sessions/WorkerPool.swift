internal import Diagnostics
internal import Glibc
internal import Synchronization

/// The threads of one token. Calls into a token block for as long as the device pleases, so they never run on the
/// cooperative pool of Swift concurrency.
///
/// A call that takes longer than it may is given up: its caller is answered, its thread is left alone and counted, and
/// another thread takes its place while there are not too many of those.
///
/// `@unchecked Sendable`: every mutable member is touched only with `mutex` held.
final class WorkerPool: @unchecked Sendable {
    private enum Next {
        case work(TokenWork)
        case task(UnownedJob)
        /// Work that came after the pool was stopped.
        case late(TokenWork)
        /// Nothing to do for as long as the device keeps an idle session.
        case idle
        case stop
    }

    let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    let watch = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    var works: [TokenWork] = []
    /// Tasks of ``executor``.
    var tasks: [UnownedJob] = []
    /// Works and tasks take turns.
    private var isTurnOfTasks = false
    var seats: [WorkerSeat] = []
    private(set) var idleWorkers = 0
    /// Those of the idle workers that have to be woken.
    private var sleepingWorkers = 0
    var abandonedWorkers = 0
    var limit: Int
    private let size: Int
    var isStopped = false
    private var isWatched = false
    var watchSleeps = false
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private let slot: Slot
    let token: TokenIdentification
    private let idleLimit: UInt64?
    private let executor: TokenExecutor?
    private let login: LoginSession
    let clock: TokenClock

    // What a thread looks at that goes on with what it has, without `mutex`; written with it held.

    /// True when somebody waits for a thread, or the pool is stopped: no thread goes on by itself then.
    private let isCalled = Atomic(false)
    /// How often sessions were declared lost.
    let epoch = Atomic(0)
    /// The shortest time of what is watched: work with a shorter one has to tell the watcher.
    let shortestLimit = Atomic(UInt64.max)

    /// - Parameter executor: whose tasks run on these threads, from now until they are stopped.
    init(
        slot: Slot, token: TokenIdentification, size: Int, idleLimit: UInt64?, login: LoginSession,
        executor: TokenExecutor?, clock: TokenClock
    ) {
        self.login = login
        self.executor = executor
        self.clock = clock
        self.slot = slot
        self.token = token
        self.size = max(1, size)
        self.limit = self.size
        self.idleLimit = idleLimit
        pthread_mutex_init(self.mutex, nil)
        self.condition.initializeMonotonic()
        self.watch.initializeMonotonic()
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
        defer {
            self.isCalled.store(
                !self.works.isEmpty || !self.tasks.isEmpty || self.isStopped, ordering: .relaxed)
            pthread_mutex_unlock(self.mutex)
        }
        return body()
    }

    /// How many threads there may be, and how many hang in the module now.
    var state: (limit: Int, abandoned: Int) { self.locked { (self.limit, self.abandonedWorkers) } }

    /// Queues work; starts a thread when none is free and the limit allows one. The work is answered in every case.
    ///
    /// - Parameter caller: the calling thread's seat, where the caller is a task that waits for the work.
    func submit(_ work: TokenWork, from caller: WorkerSeat? = nil) {
        if let caller, caller.keeps(work, of: self) { return }
        let refusal = self.locked { () -> TokenWaitError.Code? in
            guard !self.isStopped else { return .closed }
            guard self.hasThread() else { return .wedged }
            self.works.append(work)
            self.watch(for: work.limit)
            if self.sleepingWorkers > 0 { pthread_cond_signal(self.condition) }
            return nil
        }
        if let refusal { work.giveUp(refusal, waited: 0, token: self.token) }
    }

    /// Queues a task of ``executor``.
    ///
    /// - Returns: `false` when no thread of this pool will run it.
    func enqueue(_ task: UnownedJob) -> Bool {
        self.locked {
            guard !self.isStopped, self.hasThread() else { return false }
            self.tasks.append(task)
            // What the task will wait for is not known yet.
            self.watch(for: .max)
            if self.sleepingWorkers > 0 { pthread_cond_signal(self.condition) }
            return true
        }
    }

    /// With `mutex` held: starts a thread when none is free for one thing more, and tells whether there is any.
    private func hasThread() -> Bool {
        if self.idleWorkers <= self.works.count + self.tasks.count && self.seats.count < self.limit && !self.isWedged {
            _ = self.startWorker()
        }
        return !self.seats.isEmpty
    }

    /// With `mutex` held: has the watcher look in time for work that may take so long.
    private func watch(for limit: UInt64) {
        let isShorter = limit < self.shortestLimit.load(ordering: .relaxed)
        if isShorter { self.shortestLimit.store(limit, ordering: .relaxed) }
        if self.watchSleeps || isShorter { pthread_cond_signal(self.watch) }
    }

    /// As many threads hang as there may be at work: a further one would hang as well.
    var isWedged: Bool { self.abandonedWorkers >= max(2, self.size) }

    /// Declares all sessions lost: each thread opens a new one before its next work.
    func discardSessions() { self.epoch.wrappingAdd(1, ordering: .releasing) }

    /// Lets the queued work end, then the threads, which close their sessions.
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
        // Unsafe for the compiler only: the seat is its thread's from here on, but for what stands under its lock.
        nonisolated(unsafe) let seat = WorkerSeat(pool: self, executor: self.executor)
        guard DetachedThread.start({ self.work(seat) }) else { return false }
        self.seats.append(seat)
        if !self.isWatched { self.isWatched = DetachedThread.start { self.watchWorkers() } }
        return true
    }

    private func work(_ seat: WorkerSeat) {
        seat.occupied { self.run(seat) }
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

    /// Works until the pool stops, or the worker is retired or given up. Its session closes when this returns.
    private func run(_ seat: WorkerSeat) {
        let worker = Worker(slot: self.slot, token: self.token, login: self.login)
        while true {
            switch self.next(seat, hasSession: worker.openSession != nil) {
            case .stop: return
            case .idle: worker.closeSession()
            case .task(let task): seat.run(task)
            case .late(let work): work.giveUp(.closed, waited: 0, token: self.token)
            case .work(let work): guard self.perform(work, worker, seat) else { return }
            }
        }
    }

    /// - Returns: `false` when the thread has to end.
    private func perform(_ work: TokenWork, _ worker: Worker, _ seat: WorkerSeat) -> Bool {
        let epoch = self.epoch.load(ordering: .acquiring)
        worker.begin(epoch: epoch, at: work.queued, idleLimit: self.idleLimit)
        guard work.epoch.map({ $0 == epoch }) ?? true else {
            let isPresent = seat.leave()
            if isPresent { seat.answer(work, TokenWaitError(code: .outdated, seconds: 0, token: self.token)) }
            return isPresent
        }
        var error = work.attempt(worker)
        if let refused = error as? PKCS11Error, refused.function == "C_OpenSession",
            refused.returnValue == .sessionCount, !seat.isAbandoned
        {
            if self.retire(seat, handingBack: work) { return false }
            error = work.attempt(worker)
        }
        worker.discardBrokenSession()
        guard seat.leave() else {
            // No session, no one to tell: the device is as unreachable as it was said to be.
            if let session = try? worker.session(work.access, isNew: false) { work.undo(session) }
            return false
        }
        seat.answer(work, error)
        return true
    }

    /// Makes the pool smaller by the calling worker for good, unless it is the last one.
    private func retire(_ seat: WorkerSeat, handingBack work: TokenWork) -> Bool {
        self.locked {
            guard self.seats.count > 1, seat.leave() else { return false }
            self.seats.removeAll { $0 === seat }
            self.limit = self.seats.count
            self.works.insert(work, at: 0)
            pthread_cond_signal(self.condition)
            return true
        }
    }

    private func next(_ seat: WorkerSeat, hasSession: Bool) -> Next {
        if !self.isCalled.load(ordering: .relaxed), let own = self.own(seat, isWatched: true) { return own }
        return self.locked {
            if self.works.isEmpty && self.tasks.isEmpty || self.isStopped {
                // Nobody else waits: this thread goes on with what it has.
                if let own = self.own(seat, isWatched: false) { return own }
                guard self.wait(hasSession: hasSession) else { return .idle }
            } else {
                self.share(seat)
            }
            let isTask = self.works.isEmpty || self.isTurnOfTasks && !self.tasks.isEmpty
            guard !isTask || !self.tasks.isEmpty else { return .stop }
            self.isTurnOfTasks = !isTask
            guard !isTask else { return .task(self.tasks.removeFirst()) }
            let work = self.works.removeFirst()
            seat.enter(work, at: self.clock.recent)
            return .work(work)
        }
    }

    /// What a thread has for itself.
    ///
    /// - Parameter isWatched: without `mutex`. The watcher does not sleep while a thread is at work, so that it has to be
    ///   told only of a time that is shorter than what it knows; `nil` is returned then.
    private func own(_ seat: WorkerSeat, isWatched: Bool) -> Next? {
        if let limit = seat.ownLimit, limit < self.shortestLimit.load(ordering: .relaxed) {
            if isWatched { return nil }
            self.watch(for: limit)
        }
        switch seat.takeOwn() {
        case (let work?, _):
            if !isWatched && self.isStopped { return .late(work) }
            seat.enter(work, at: work.queued)
            return .work(work)
        case (nil, let task?): return .task(task)
        case (nil, nil): return nil
        }
    }

    /// With `mutex` held: queues what a thread has for itself behind what others wait for.
    private func share(_ seat: WorkerSeat) {
        switch seat.takeOwn() {
        case (let work?, _):
            self.works.append(work)
            self.watch(for: work.limit)
        case (nil, let task?): self.tasks.append(task)
        case (nil, nil): return
        }
        // Who was woken for what this thread takes instead may sleep again by now.
        if self.sleepingWorkers > 0 { pthread_cond_signal(self.condition) }
    }

    /// With `mutex` held: returns when there is something to do or nothing will come any more, and `false` after the
    /// time for which the device keeps an idle session.
    private func wait(hasSession: Bool) -> Bool {
        self.idleWorkers += 1
        defer { self.idleWorkers -= 1 }
        let limit = hasSession ? self.idleLimit.map { self.clock.now + $0 } : nil
        while self.works.isEmpty && self.tasks.isEmpty && !self.isStopped {
            self.sleepingWorkers += 1
            defer { self.sleepingWorkers -= 1 }
            guard let limit else {
                pthread_cond_wait(self.condition, self.mutex)
                continue
            }
            guard self.clock.now < limit else { return false }
            var look = self.clock.look(for: limit)
            pthread_cond_timedwait(self.condition, self.mutex, &look)
        }
        return true
    }
}

internal import Glibc

/// The thread that gives up what takes too long. It looks now and then while there is work, so that beginning a job
/// costs no wake-up, and sleeps when there is none.
extension WorkerPool {
    func watchWorkers() {
        while let given = self.nextLook() {
            for (job, code, waited) in given.jobs { job.giveUp(code, waited: waited) }
            for task in given.tasks { TokenExecutor.runElsewhere(task) }
            for continuation in given.ended { continuation.resume() }
        }
    }

    /// What is taken from the pool by one look, to be answered without the lock.
    private struct Given {
        var jobs: [(WorkerJob, TokenWaitError.Code, UInt64)] = []
        var tasks: [UnownedJob] = []
        var ended: [CheckedContinuation<Void, Never>] = []
    }

    /// - Returns: `nil` when there will be nothing to watch any more.
    private func nextLook() -> Given? {
        self.locked {
            if self.isStopped && self.seats.isEmpty { return nil }
            if self.jobs.isEmpty && self.tasks.isEmpty && self.seats.allSatisfy({ $0.job == nil }) {
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
            var given = self.overdue(at: MonotonicClock.now)
            if self.isStopped { given.ended = self.waitersIfEmpty() }
            return given
        }
    }

    /// With `mutex` held: takes away what is overdue.
    private func overdue(at now: UInt64) -> Given {
        var given = Given()
        for seat in self.seats {
            guard let job = seat.job, now > seat.began, now - seat.began > job.terms.limit else { continue }
            seat.isAbandoned = true
            self.abandonedWorkers += 1
            given.jobs.append((job, .hung, now - seat.began))
        }
        self.seats.removeAll { $0.isAbandoned }
        while self.seats.count < min(self.limit, self.jobs.count + self.tasks.count) && !self.isWedged {
            guard self.startWorker() else { break }
        }
        let isDead = self.seats.isEmpty
        self.jobs.removeAll { job in
            let waited = now > job.queued ? now - job.queued : 0
            guard isDead || waited > job.terms.queueLimit else { return false }
            given.jobs.append((job, isDead ? .wedged : .busy, waited))
            return true
        }
        if isDead { swap(&given.tasks, &self.tasks) }
        return given
    }
}

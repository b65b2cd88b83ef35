internal import Glibc
internal import Synchronization

/// The thread that gives up what takes too long. It looks now and then while any thread is at work, so that beginning
/// work costs no wake-up, and sleeps when all of them wait.
extension WorkerPool {
    func watchWorkers() {
        while let given = self.nextLook() {
            for (work, code, waited) in given.works { work.giveUp(code, waited: waited, token: self.token) }
            for task in given.tasks { TokenExecutor.runElsewhere(task) }
            for continuation in given.ended { continuation.resume() }
        }
    }

    /// What is taken from the pool by one look, to be answered without the lock.
    private struct Given {
        var works: [(TokenWork, TokenWaitError.Code, UInt64)] = []
        var tasks: [UnownedJob] = []
        var ended: [CheckedContinuation<Void, Never>] = []
    }

    /// - Returns: `nil` when there will be nothing to watch any more.
    private func nextLook() -> Given? {
        self.locked { () -> Given? in
            if self.isStopped && self.seats.isEmpty { return nil }
            if self.works.isEmpty && self.tasks.isEmpty && self.idleWorkers == self.seats.count {
                self.shortestLimit.store(.max, ordering: .relaxed)
                self.watchSleeps = true
                pthread_cond_wait(self.watch, self.mutex)
                self.watchSleeps = false
            } else {
                // A quarter of the shortest limit, 10 ms at least and half a second at most.
                let pause = min(max(self.shortestLimit.load(ordering: .relaxed) / 4, 10_000_000), 500_000_000)
                var deadline = self.clock.look(for: self.clock.now + pause)
                pthread_cond_timedwait(self.watch, self.mutex, &deadline)
            }
            var given = self.overdue(at: self.clock.now)
            if self.isStopped { given.ended = self.waitersIfEmpty() }
            return given
        }
    }

    /// With `mutex` held: takes away what is overdue.
    private func overdue(at now: UInt64) -> Given {
        var given = Given()
        self.seats.removeAll { seat in
            guard let hung = seat.takeOverdue(at: now) else { return false }
            self.abandonedWorkers += 1
            given.works.append((hung.work, .hung, hung.waited))
            return true
        }
        while self.seats.count < min(self.limit, self.works.count + self.tasks.count) && !self.isWedged {
            guard self.startWorker() else { break }
        }
        let isDead = self.seats.isEmpty
        self.works.removeAll { work in
            let waited = now > work.queued ? now - work.queued : 0
            guard isDead || waited > work.queueLimit else { return false }
            given.works.append((work, isDead ? .wedged : .busy, waited))
            return true
        }
        if isDead { swap(&given.tasks, &self.tasks) }
        return given
    }
}

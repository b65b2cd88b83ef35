/// Lets one operation at a time do what must not be interleaved, such as writing to a token: what a capacity check found
/// still holds when it writes.
actor WriteGate {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Waits for the caller's turn, and gives it on when the work has ended.
    nonisolated func exclusively<R: Sendable>(_ body: () async throws -> R) async throws -> R {
        await self.enter()
        do {
            let result = try await body()
            await self.leave()
            return result
        } catch {
            await self.leave()
            throw error
        }
    }

    private func enter() async {
        guard self.isTaken else {
            self.isTaken = true
            return
        }
        await withCheckedContinuation { self.waiting.append($0) }
    }

    /// Gives the turn to whoever has waited longest.
    private func leave() {
        guard !self.waiting.isEmpty else {
            self.isTaken = false
            return
        }
        self.waiting.removeFirst().resume()
    }
}

import CertificateAuthority
import Diagnostics
import Synchronization

/// Counts steps, and from a given one on refuses them: what the rest of the program sees of a machine that stops.
final class FaultPlan: Sendable {
    enum Moment: Sendable, CaseIterable {
        /// The step is not done.
        case before
        /// The step is done, and nobody is told.
        case after
        /// The step is not done, and the steps after it are: a fault that passes.
        case once
    }

    private let state: Mutex<(step: Int, stopAt: Int?, moment: Moment)>

    init(stopAt step: Int? = nil, _ moment: Moment = .before) {
        self.state = Mutex((0, step, moment))
    }

    var steps: Int { self.state.withLock { $0.step } }

    /// Begins to count anew.
    func arm(stopAt step: Int?, _ moment: Moment) {
        self.state.withLock { $0 = (0, step, moment) }
    }

    private func count() -> (isBefore: Bool, isAfter: Bool) {
        self.state.withLock { state in
            state.step += 1
            guard let stopAt = state.stopAt else { return (false, false) }
            return (
                state.moment == .once
                    ? state.step == stopAt
                    : state.step > stopAt
                        || (state.step == stopAt && state.moment == .before),
                state.step == stopAt && state.moment == .after
            )
        }
    }

    func step<R>(_ body: () async throws -> R) async throws -> R {
        let (isBefore, isAfter) = self.count()
        if isBefore { throw FaultPlan.stopped }
        let result = try await body()
        if isAfter { throw FaultPlan.stopped }
        return result
    }

    /// For a step whose result is lost in either case.
    func step() throws {
        let (isBefore, isAfter) = self.count()
        if isBefore || isAfter { throw FaultPlan.stopped }
    }

    static let stopped = StorageError(
        code: .failed, operation: "go on", reason: "the test has stopped the machine", hresult: .writeFault,
        advice: ["Start again."])
}

/// A real storage behind a ``FaultPlan``.
struct FaultyStorage: CAStorage {
    let base: any CAStorage
    let plan: FaultPlan

    func read<R: Sendable>(_ body: @escaping @Sendable (any StorageReading) throws -> R) async throws -> R {
        try await self.plan.step { try await self.base.read(body) }
    }

    func write<R: Sendable>(_ body: @escaping @Sendable (any StorageWriting) throws -> R) async throws -> R {
        try await self.plan.step { try await self.base.write(body) }
    }

    func forgetDeleted() async throws { try await self.base.forgetDeleted() }
}

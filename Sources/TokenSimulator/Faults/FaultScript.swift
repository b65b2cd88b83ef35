internal import Synchronization

/// Counts calls and says which faults they meet.
///
/// Each rule counts the calls that it is for. A call is counted when it has succeeded or when a fault takes its
/// place.
package final class FaultScript: Sendable {
    /// A fault that a call meets.
    struct Met: Sendable {
        let fault: Fault
        /// The number of the call by the count of the rule.
        let number: Int
        /// The number of the order in the ledger, for a fault that came over the control socket.
        let order: Int?
    }

    private struct Rule {
        let fault: Fault
        let order: Int?
        /// Decides together with the seed and the number whether a call is met by chance.
        let stream: UInt64
        var count = 0
        /// The number of the next call that is met, if it is not left to chance; `nil` when there is none.
        var due: Int?

        init(_ fault: Fault, order: Int?, stream: UInt64) {
            self.fault = fault
            self.order = order
            self.stream = stream
            switch fault.trigger {
            case .call(let number): self.due = number
            case .every(let period): self.due = period
            case .probability: self.due = nil
            }
        }

        /// Threads may pass the number together, so a fault is due from its number on.
        func isDue(seed: UInt64) -> Bool {
            guard case .probability(let bound) = self.fault.trigger else {
                return self.due.map { $0 <= self.count + 1 } ?? false
            }
            var generator = SplitMix(state: seed &+ self.stream &* 0x9E37_79B9 &+ UInt64(self.count) << 32)
            return generator.fraction() < bound
        }

        mutating func spend() {
            switch self.fault.trigger {
            case .call: self.due = nil
            case .every(let period): self.due = self.count + 1 + period
            case .probability: break
            }
        }
    }

    private struct State {
        var rules: [Rule]
    }

    package let faults: [Fault]
    package let seed: UInt64
    private let state: Mutex<State>
    private let isActive: Atomic<Bool>
    private let needsSubjects: Atomic<Bool>

    package init(_ faults: [Fault], seed: UInt64 = 0) {
        self.faults = faults
        self.seed = seed
        self.state = Mutex(
            State(rules: faults.enumerated().map { Rule($1, order: nil, stream: UInt64($0) + 1) }))
        self.isActive = Atomic(!faults.isEmpty)
        self.needsSubjects = Atomic(faults.contains { $0.key != nil })
    }

    /// False when no call can meet a fault.
    var isArmed: Bool { self.isActive.load(ordering: .acquiring) }
    /// True when some fault is for one key only.
    var hasKeyFilters: Bool { self.needsSubjects.load(ordering: .acquiring) }

    /// Takes over the faults that were ordered over the control socket, by number. Those that are known keep their
    /// counts; those that are no longer there are dropped.
    func adopt(_ orders: [Int: Fault]) {
        self.state.withLock { state in
            state.rules.removeAll { rule in rule.order.map { orders[$0] == nil } ?? false }
            let known = Set(state.rules.compactMap(\.order))
            for (order, fault) in orders.sorted(by: { $0.key < $1.key }) where !known.contains(order) {
                state.rules.append(Rule(fault, order: order, stream: UInt64(order) << 16))
            }
            self.isActive.store(!state.rules.isEmpty, ordering: .releasing)
            self.needsSubjects.store(state.rules.contains { $0.fault.key != nil }, ordering: .releasing)
        }
    }

    /// Takes the faults that a call meets before its work; the last of them may take the place of the work.
    func take(before call: Call) -> [Met] {
        guard !call.isSizeQuery else { return [] }
        return self.state.withLock { state in
            var met: [Met] = []
            for index in state.rules.indices {
                let rule = state.rules[index]
                guard !rule.fault.after, rule.fault.concerns(call), rule.isDue(seed: self.seed) else { continue }
                met.append(Met(fault: rule.fault, number: rule.count + 1, order: rule.order))
                state.rules[index].spend()
                guard rule.fault.replacesResult else { continue }
                FaultScript.count(call, in: &state)
                break
            }
            return met
        }
    }

    /// Counts a call whose work succeeded, and takes the faults that it meets then.
    func take(after call: Call) -> [Met] {
        guard !call.isSizeQuery else { return [] }
        return self.state.withLock { state in
            var met: [Met] = []
            for index in state.rules.indices {
                let rule = state.rules[index]
                guard rule.fault.after, rule.fault.concerns(call), rule.isDue(seed: self.seed) else { continue }
                met.append(Met(fault: rule.fault, number: rule.count + 1, order: rule.order))
                state.rules[index].spend()
                if rule.fault.replacesResult { break }
            }
            FaultScript.count(call, in: &state)
            return met
        }
    }

    private static func count(_ call: Call, in state: inout State) {
        for index in state.rules.indices where state.rules[index].fault.concerns(call) {
            state.rules[index].count += 1
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): a small generator whose numbers are the same on every machine.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// From 0 up to 1, without 1.
    mutating func fraction() -> Double {
        Double(self.next() >> 11) / Double(1 << 53)
    }
}

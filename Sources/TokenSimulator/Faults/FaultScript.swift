internal import CPKCS11
package import Diagnostics
internal import Synchronization

/// A failure that is to happen once.
package struct Fault: Hashable, Sendable {
    package var function: FunctionName
    /// The number of the call that fails, 1 for the first. Size queries and calls that failed by themselves do not
    /// count.
    package var call: Int
    package var returns: ReturnValue
    /// True to fail after the work was done, false to fail instead of doing it.
    package var after: Bool

    package init(function: FunctionName, call: Int, returns: ReturnValue, after: Bool) {
        self.function = function
        self.call = call
        self.returns = returns
        self.after = after
    }
}

/// Counts calls and makes those fail that the script names.
package final class FaultScript: Sendable {
    private struct Progress {
        var counts: [FunctionName: Int] = [:]
        var pending: [Fault]
    }

    package let faults: [Fault]
    private let scripted: Set<FunctionName>
    private let progress: Mutex<Progress>

    package init(_ faults: [Fault]) {
        self.faults = faults
        self.scripted = Set(faults.map(\.function))
        self.progress = Mutex(Progress(pending: faults))
    }

    /// Runs one call, or makes it fail.
    package func run(_ function: FunctionName, isSizeQuery: Bool, _ call: () -> UInt) -> UInt {
        guard !isSizeQuery, self.scripted.contains(function) else { return call() }
        if let fault = self.take(function, after: false) { return fault.returns.rawValue }
        let result = call()
        guard result == CKR_OK else { return result }
        return self.take(function, after: true)?.returns.rawValue ?? result
    }

    /// Takes the fault of the next call from the script, if one is due.
    ///
    /// The call is counted when it has succeeded or when the fault takes its place. Threads may pass the number
    /// together, so a fault is due from its number on.
    private func take(_ function: FunctionName, after: Bool) -> Fault? {
        self.progress.withLock { progress in
            let number = progress.counts[function, default: 0] + 1
            let due = progress.pending.firstIndex {
                $0.function == function && $0.after == after && $0.call <= number
            }
            if after || due != nil { progress.counts[function] = number }
            return due.map { progress.pending.remove(at: $0) }
        }
    }
}

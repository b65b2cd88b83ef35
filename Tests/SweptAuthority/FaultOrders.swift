import Foundation
import Glibc
import SimulatorControl
import StorageFaults

/// What ends or hinders the authority.
enum Fault: String {
    /// Killed in place of a statement of the database, or after it.
    case statementBefore = "statement-before"
    case statementAfter = "statement-after"
    /// Killed in place of a write or sync, or after it: in the middle of a transaction.
    case writeBefore = "write-before"
    case writeAfter = "write-after"
    /// Killed by the token's simulator.
    case tokenBefore = "token-before"
    case tokenAfter = "token-after"
    /// A write or sync fails, once.
    case inputOutputError = "eio"
    case noSpace = "enospc"
    /// All writes fail from one on.
    case deadDisk = "dead-disk"

    init(named name: String) throws {
        guard let fault = Fault(rawValue: name) else { throw SceneError("there is no fault \(name)") }
        self = fault
    }

    var endsProcess: Bool { ![.inputOutputError, .noSpace, .deadDisk].contains(self) }
}

/// Orders faults for one call after another.
struct FaultOrders {
    /// Taken in turn.
    private let faults: [Fault]
    private var turn = 0
    private let directory: String
    private let control: SimulatorControl?

    init(faults: [Fault], instance: String, control: String?) throws {
        self.faults = faults
        self.directory = URL(filePath: instance).resolvingSymlinksInPath().path
        self.control = control.map { SimulatorControl(path: $0) }
    }

    mutating func order(_ number: Int) throws {
        let fault = self.faults[self.turn % self.faults.count]
        self.turn += 1
        switch fault {
        case .statementBefore: self.order(STORAGE_FAULT_STATEMENT, STORAGE_FAULT_KILL_BEFORE, number)
        case .statementAfter: self.order(STORAGE_FAULT_STATEMENT, STORAGE_FAULT_KILL_AFTER, number)
        case .writeBefore: self.order(STORAGE_FAULT_WRITE, STORAGE_FAULT_KILL_BEFORE, number)
        case .writeAfter: self.order(STORAGE_FAULT_WRITE, STORAGE_FAULT_KILL_AFTER, number)
        case .inputOutputError: self.order(STORAGE_FAULT_WRITE, STORAGE_FAULT_FAIL_ONCE, number, EIO)
        case .noSpace: self.order(STORAGE_FAULT_WRITE, STORAGE_FAULT_FAIL_ONCE, number, ENOSPC)
        case .deadDisk: self.order(STORAGE_FAULT_WRITE, STORAGE_FAULT_FAIL_ALWAYS, number, EIO)
        case .tokenBefore, .tokenAfter:
            guard let control else { throw SceneError("a token's faults need the socket of its simulator") }
            let after = fault == .tokenAfter ? ", after: true" : ""
            try self.waitUntilServed(control)
            try control.send(.fail("{function: any, call: \(number)\(after), effect: crash}"))
        }
    }

    /// The simulator serves its socket once the token is opened, which is at its first use.
    private func waitUntilServed(_ control: SimulatorControl) throws {
        for _ in 0..<6_000 {
            do { return _ = try control.send(.status) } catch SimulatorControlError.unreachable { usleep(10_000) }
        }
        try control.send(.status)
    }

    private func order(
        _ place: storage_fault_place, _ effect: storage_fault_effect, _ number: Int, _ error: Int32 = 0
    ) {
        storage_fault_order(
            Int32(bitPattern: place.rawValue), Int32(bitPattern: effect.rawValue), number, error, self.directory)
    }

    /// - Returns: how many calls there were of the disk; 0 for the token.
    @discardableResult
    func end() throws -> Int {
        try self.control?.send(.clear)
        return storage_fault_end()
    }
}

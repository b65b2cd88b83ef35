internal import Glibc

/// Commands to a token simulator while programs use it, over its control socket: a client.
///
/// A request is one line. The answer is any number of lines and then `ok`, or `error` and the reason, and the end of
/// the connection.
public struct SimulatorControl: Sendable {
    /// What is to happen to the simulated cards.
    public enum Command: Hashable, Sendable {
        /// Takes the card out.
        case eject
        /// Puts the card back, in another slot if one is given.
        case insert(slot: UInt?)
        /// Locks the user's PIN.
        case lockPIN
        /// Empties the audit log of a card whose profile bounds it.
        case emptyLog
        /// Makes a call fail: a fault as in the simulator's configuration, such as
        /// `function: C_Sign, call: 3, returns: CKR_DEVICE_ERROR`. Without `call`, `every` or `probability` it is for
        /// the next call.
        case fail(String)
        /// Takes back all faults that were ordered.
        case clear
        /// Tells what there is: a line for each card and each fault that is still to come.
        case status
    }

    /// The socket, as the simulator's configuration has it under `control`.
    public let path: String
    /// Seconds that each step of the conversation may take.
    public let timeout: Int

    public init(path: String, timeout: Int = 10) {
        self.path = path
        self.timeout = timeout
    }

    /// Sends a command.
    ///
    /// - Parameter card: a part of the card's serial number and label; `nil` when there is only one card.
    /// - Returns: the lines of the answer before `ok`.
    /// - Throws: ``SimulatorControlError``.
    @discardableResult
    public func send(_ command: Command, card: String? = nil) throws(SimulatorControlError) -> [String] {
        let line = command.line(card: card)
        guard !line.contains(where: \.isNewline) else { throw .refused("a command is one line") }
        let answer = try UnixSocket.converse(path: self.path, request: line + "\n", timeout: self.timeout)
        var lines = answer.split(separator: "\n").map(String.init)
        guard let last = lines.popLast() else { throw .unreachable(self.path, "it closed the connection") }
        if last == "ok" { return lines }
        guard last.hasPrefix("error ") else { throw .unreachable(self.path, "its answer has no end") }
        throw .refused(String(last.dropFirst(6)))
    }
}

extension SimulatorControl.Command {
    /// The request, as it is sent.
    func line(card: String?) -> String {
        let suffix = card.map { " card=\($0)" } ?? ""
        return switch self {
        case .eject: "eject" + suffix
        case .insert(let slot): "insert" + (slot.map { " \($0)" } ?? "") + suffix
        case .lockPIN: "lock-pin" + suffix
        case .emptyLog: "empty-log" + suffix
        case .fail(let fault): "fail " + fault
        case .clear: "clear"
        case .status: "status"
        }
    }
}

/// Why a command was not carried out.
public enum SimulatorControlError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No simulator listens at the socket: no program uses the simulated card at the moment, or the path is wrong.
    case unreachable(String, String)
    /// The simulator does not do it, for this reason.
    case refused(String)

    public var description: String {
        switch self {
        case .unreachable(let path, let reason): "No simulator answers at \(path): \(reason)."
        case .refused(let reason): "The simulator refuses: \(reason)."
        }
    }
}

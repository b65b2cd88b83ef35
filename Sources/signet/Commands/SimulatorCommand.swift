import ArgumentParser
import CAService
import Diagnostics
import SimulatorControl

/// `signet simulator eject|insert|lock-pin|empty-log|fail|clear|status`
struct SimulatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulator", abstract: "Act on a simulated card while programs use it.",
        subcommands: [
            EjectCard.self, InsertCard.self, LockCardPIN.self, EmptyCardLog.self, FailCall.self, ClearFaults.self,
            SimulatorStatus.self,
        ])
}

/// Which simulator, and which of its cards.
struct SimulatorOptions: ParsableArguments {
    @Option(name: .long, help: "The control socket, as the simulator's configuration names it.")
    var control: String

    @Option(name: .long, help: "A part of the card's serial number or label, where there are several cards.")
    var card: String?

    func send(_ command: SimulatorControl.Command) throws {
        do throws(SimulatorControlError) {
            for line in try SimulatorControl(path: self.control).send(command, card: self.card) { Console.say(line) }
        } catch {
            throw ServiceError(
                code: .init(rawValue: "simulator"), headline: "\(error)", hresult: .readerUnavailable,
                advice: [
                    "Check that a program uses the simulated card now, and that its configuration has this path under control."
                ])
        }
    }
}

/// `signet simulator eject`
struct EjectCard: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eject", abstract: "Take the card out.",
        examples: "signet simulator eject --control card.sock")

    @OptionGroup var options: SimulatorOptions

    func run() throws { try self.options.send(.eject) }
}

/// `signet simulator insert`
struct InsertCard: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "insert", abstract: "Put the card back.",
        examples: "signet simulator insert --control card.sock --slot 3")

    @OptionGroup var options: SimulatorOptions

    @Option(name: .long, help: "The slot to put it into; the one it was in when left out.")
    var slot: UInt?

    func run() throws { try self.options.send(.insert(slot: self.slot)) }
}

/// `signet simulator lock-pin`
struct LockCardPIN: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock-pin", abstract: "Lock the user's PIN.",
        examples: "signet simulator lock-pin --control card.sock")

    @OptionGroup var options: SimulatorOptions

    func run() throws { try self.options.send(.lockPIN) }
}

/// `signet simulator empty-log`
struct EmptyCardLog: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "empty-log", abstract: "Empty the audit log of a card, as its administrator would.",
        examples: "signet simulator empty-log --control card.sock")

    @OptionGroup var options: SimulatorOptions

    func run() throws { try self.options.send(.emptyLog) }
}

/// `signet simulator fail`
struct FailCall: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fail", abstract: "Make a call fail.",
        discussion:
            "The fault as in the simulator's configuration: 'function: C_Sign, call: 3, returns: CKR_DEVICE_ERROR'.",
        examples: #"""
            signet simulator fail "function: C_Sign, call: 3, returns: CKR_DEVICE_ERROR" \
                --control card.sock
            """#)

    @OptionGroup var options: SimulatorOptions

    @Argument(help: "The fault; the next call of the function when it has no call, every or probability.")
    var fault: String

    func run() throws { try self.options.send(.fail(self.fault)) }
}

/// `signet simulator clear`
struct ClearFaults: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear", abstract: "Take back the faults that were ordered.",
        examples: "signet simulator clear --control card.sock")

    @OptionGroup var options: SimulatorOptions

    func run() throws { try self.options.send(.clear) }
}

/// `signet simulator status`
struct SimulatorStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Tell what cards there are, and what faults are still to come.",
        examples: "signet simulator status --control card.sock")

    @OptionGroup var options: SimulatorOptions

    func run() throws { try self.options.send(.status) }
}

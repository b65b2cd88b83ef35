internal import CPKCS11
internal import DeviceProfiles
internal import Diagnostics
internal import Glibc
internal import Synchronization

/// One run of the simulation: the module inside, what it is to look like, and what the program has of it.
final class Simulation: Sendable {
    let configuration: SimulatorConfiguration
    let module: InnerModule
    let faults: FaultScript
    let ledger: LedgerStore
    let reader = Reader()
    let waiters = Waiters()
    let events: EventLog?
    /// False when nothing is set for which sessions and handles must be known: then all of them are those of the
    /// module inside.
    let isTracking: Bool
    /// Whether some card is seen again without a look at the slots.
    let canNoticeWithoutLooking: Bool
    /// The process that initialized, where a child of it is to get nothing; `nil` where it may go on.
    private let onlyProcess: pid_t?
    /// Whether faults can be ordered while the program runs.
    let takesOrders: Bool
    /// The change of the ledger as of which orders were taken over.
    private let adopted = Mutex<UInt64?>(nil)
    private let control = Mutex<ControlServer?>(nil)

    /// - Throws: ``SimulatorError`` when the log cannot be opened.
    init(
        configuration: SimulatorConfiguration, module: InnerModule, faults: FaultScript
    ) throws(SimulatorError) {
        self.configuration = configuration
        self.module = module
        self.faults = faults
        self.ledger = LedgerStore(path: configuration.ledgerPath)
        self.takesOrders = configuration.controlPath != nil
        self.isTracking = !configuration.tokens.isEmpty || self.takesOrders || faults.hasKeyFilters
        let refusesChildren = configuration.tokens.contains { $0.profile.lifecycle.fork.value == .refused }
        self.onlyProcess = refusesChildren ? getpid() : nil
        self.canNoticeWithoutLooking = configuration.tokens.contains { !$0.profile.lifecycle.needsRescan }
        if let log = configuration.log {
            self.events = try EventLog(path: log.path, logsCalls: log.includesCalls)
        } else {
            self.events = nil
        }
    }

    /// True in a child process of a program whose card is only for itself.
    var isRefused: Bool { self.onlyProcess.map { $0 != getpid() } ?? false }

    /// The functions of the module inside.
    var inner: CK_FUNCTION_LIST { self.module.functions.pointee }
    /// The same for a program that knows v3.0.
    var inner3: CK_FUNCTION_LIST { self.module.functions3?.pointee.v2_40 ?? self.inner }

    /// `C_Initialize` of the module inside.
    func initializeModule(_ arguments: InitializeArguments) -> CK_RV {
        if self.configuration.controlPath != nil, arguments.forbidsThreads { return CKR_NEED_TO_CREATE_THREADS }
        let given = arguments.reserved.map { ReservedText($0).rest }.flatMap { $0.isEmpty ? nil : $0 }
        return arguments.withInner(moduleArguments: self.configuration.moduleArguments ?? given) {
            self.inner.C_Initialize?($0) ?? CKR_FUNCTION_NOT_SUPPORTED
        }
    }

    /// Begins once the module inside is initialized.
    ///
    /// - Throws: ``SimulatorError`` when the control socket cannot be opened.
    func start() throws(SimulatorError) {
        self.identifyCards()
        self.noteObjectsOfStart()
        guard let path = self.configuration.controlPath else { return }
        let commands = ControlCommands(ledger: self.ledger, events: self.events)
        let server = try ControlServer(path: path) { commands.answer($0) }
        self.control.withLock { $0 = server }
    }

    /// Ends after the module inside was finalized.
    func stop() {
        self.control.withLock { server in
            server?.stop()
            server = nil
        }
        self.reader.withState { state in
            state.sessions = [:]
        }
        self.recordSessions()
    }

    /// Runs the work of a call, with the faults that it meets.
    ///
    /// - Parameter work: is told what a fault makes of it.
    func run(_ call: Call, on card: Card?, _ work: (Fault.Effect?) -> CK_RV) -> CK_RV {
        var call = call
        call.hang = card?.hangSeconds
        call.throttled = card?.profile.lifecycle.throttled.value?.first
        let result = self.meetingFaults(call, on: card, work)
        self.events?.write(call, result: result)
        return result
    }

    private func meetingFaults(_ call: Call, on card: Card?, _ work: (Fault.Effect?) -> CK_RV) -> CK_RV {
        guard self.faults.isArmed, !call.isSizeQuery else { return work(nil) }
        var onCall: Fault.Effect?
        for met in self.faults.take(before: call) where self.claims(met) {
            self.suffer(met, call: call, card: card)
            if let effect = met.fault.effect, effect.isOnCall {
                if effect == .crash, call.function != .generateKeyPair { Simulation.crash() }
                onCall = effect
            }
            if let returns = met.fault.result(of: call) { return returns.rawValue }
        }
        let result = work(onCall)
        guard result == CKR_OK else { return result }
        for met in self.faults.take(after: call) where self.claims(met) {
            self.suffer(met, call: call, card: card)
            if met.fault.effect == .crash { Simulation.crash() }
            if let returns = met.fault.result(of: call) { return returns.rawValue }
        }
        return result
    }

    private func suffer(_ met: FaultScript.Met, call: Call, card: Card?) {
        self.events?.write(call, met: met)
        Moment.wait(seconds: met.fault.pause(of: call))
        if let effect = met.fault.effect, !effect.isOnCall { self.apply(effect, to: card?.name) }
    }

    /// Takes over what was ordered over the control socket since the last call.
    func adoptOrders() {
        guard self.takesOrders else { return }
        let (ledger, change) = self.ledger.current()
        self.adopted.withLock { adopted in
            guard adopted != change else { return }
            adopted = change
            // The server has read each of them before it was written.
            self.faults.adopt(ledger.orders.compactMapValues { try? Fault(line: $0) })
        }
    }

    /// Whether a fault is this process's to suffer: one that was ordered for one call is for one process.
    private func claims(_ met: FaultScript.Met) -> Bool {
        guard let order = met.order, case .call = met.fault.trigger else { return true }
        do {
            return try self.ledger.withLedger { $0.orders.removeValue(forKey: order) != nil }
        } catch {
            Simulator.log(error)
            return false
        }
    }

    /// Ends the process as a power failure would.
    static func crash() -> Never {
        kill(getpid(), SIGKILL)
        _exit(137)
    }
}

/// Text fields of PKCS #11: UTF-8, padded with blanks, without a zero (section 3).
enum PaddedText {
    static func read(_ field: UnsafeRawBufferPointer) -> String {
        var bytes = Array(field)
        while let last = bytes.last, last == UInt8(ascii: " ") || last == 0 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func write(_ text: String, to field: UnsafeMutableRawBufferPointer) {
        field.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: " "))
        var kept = text[...]
        while kept.utf8.count > field.count { kept.removeLast() }
        field.copyBytes(from: kept.utf8)
    }
}

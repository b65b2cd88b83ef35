internal import CPKCS11
internal import Diagnostics
internal import Glibc
internal import Synchronization

/// A PKCS #11 module that wraps another one: the state between `C_Initialize` and `C_Finalize`.
final class Simulator: Sendable {
    private struct State {
        var simulation: Simulation?
        /// Kept over `C_Finalize`, because faults count the calls of the process.
        var faults: FaultScript?
    }

    private let state = Mutex(State())

    /// Lets the simulation act on a call.
    func perform(_ function: FunctionName, _ action: (Simulation) -> CK_RV) -> CK_RV {
        guard let simulation = self.current, !simulation.isRefused else { return CKR_CRYPTOKI_NOT_INITIALIZED }
        return action(simulation)
    }

    /// Calls a function of the module inside in a session, unless something is in the way.
    ///
    /// - Parameters:
    ///   - isSizeQuery: true when the caller only asks how long the output will be; such a call never has a fault.
    ///   - dataLength: bytes that the call hands to the card.
    ///   - work: gives `nil` when the module inside does not have the function.
    func inSession(
        _ function: FunctionName, _ session: CK_SESSION_HANDLE, isSizeQuery: Bool = false,
        dataLength: UInt = 0, about subject: Simulation.Subject = .operation, _ work: (SessionUse) -> CK_RV?
    ) -> CK_RV {
        self.perform(function) { simulation in
            guard let kind = function.operation else {
                return simulation.call(function, in: session, isSizeQuery: isSizeQuery, about: subject, work)
            }
            return simulation.proceed(
                function, kind, in: session, isSizeQuery: isSizeQuery, dataLength: dataLength, work)
        }
    }

    /// The same for a function that is given a mechanism.
    ///
    /// - Parameters:
    ///   - flag: the `CKF_` flag of what the mechanism is to be used for.
    ///   - work: gets the mechanism as the module inside knows it.
    func using(
        _ function: FunctionName, _ session: CK_SESSION_HANDLE, _ mechanism: UnsafeMutablePointer<CK_MECHANISM>?,
        _ flag: CK_FLAGS, isSizeQuery: Bool = false, about subject: Simulation.Subject = .operation,
        _ work: (SessionUse, UnsafeMutablePointer<CK_MECHANISM>?) -> CK_RV?
    ) -> CK_RV {
        self.perform(function) { simulation in
            simulation.call(function, in: session, isSizeQuery: isSizeQuery, about: subject) { use in
                if let refusal = use.card?.refusal(of: mechanism, use: flag) {
                    return simulation.refuse(function, refusal, mechanism)
                }
                if use.isStuck(function) { return CKR_OPERATION_ACTIVE }
                return use.withInner(mechanism, for: function, isSizeQuery: isSizeQuery) { work(use, $0) }
            }
        }
    }

    private var current: Simulation? {
        self.state.withLock { $0.simulation }
    }

    /// `C_Initialize` (section 5.4): reads the configuration, loads the module inside and initializes it.
    func initialize(_ pointer: UnsafeMutableRawPointer?) -> CK_RV {
        let arguments = InitializeArguments(pointer)
        return self.state.withLock { state in
            do {
                let simulation = try state.simulation ?? self.load(arguments, faults: &state.faults)
                let isFirst = state.simulation == nil
                let call = Call(function: .initialize)
                let result = simulation.run(call, on: nil) { _ in simulation.initializeModule(arguments) }
                guard result == CKR_OK, isFirst else { return result }
                do {
                    try simulation.start()
                } catch {
                    // A program that is told of a failure does not finalize.
                    _ = simulation.inner.C_Finalize?(nil)
                    throw error
                }
                state.simulation = simulation
                return result
            } catch {
                Simulator.log(error)
                return CKR_GENERAL_ERROR
            }
        }
    }

    private func load(_ arguments: InitializeArguments, faults: inout FaultScript?) throws -> Simulation {
        let configuration = try SimulatorConfiguration.find(reserved: arguments.reserved)
        let script: FaultScript
        if let earlier = faults, earlier.faults == configuration.faults, earlier.seed == configuration.seed {
            script = earlier
        } else {
            script = FaultScript(configuration.faults, seed: configuration.seed)
        }
        faults = script
        let module = try Simulator.module(of: configuration)
        return try Simulation(configuration: configuration, module: module, faults: script)
    }

    private static func module(of configuration: SimulatorConfiguration) throws(SimulatorError) -> InnerModule {
        for (name, value) in configuration.environment { setenv(name, value, 1) }
        return try InnerModule(path: configuration.modulePath)
    }

    /// Whether the module inside has v3.0. Programs ask for interfaces before they initialize, when only
    /// `SIGNET_SIMULATOR` can tell which module that is.
    var hasInterface3: Bool {
        if let simulation = self.current { return simulation.module.functions3 != nil }
        return self.state.withLock { _ in
            do {
                return try Simulator.module(of: .find(reserved: nil)).functions3 != nil
            } catch {
                return false  // C_Initialize will say what is wrong.
            }
        }
    }

    /// `C_Finalize` (section 5.4).
    func finalize(_ reserved: UnsafeMutableRawPointer?) -> CK_RV {
        self.perform(.finalize) { simulation in
            let call = Call(function: .finalize)
            let result = simulation.run(call, on: nil) { _ in
                simulation.waiters.end()
                return simulation.inner.C_Finalize?(reserved) ?? CKR_FUNCTION_NOT_SUPPORTED
            }
            guard result == CKR_OK else {
                simulation.waiters.resume()
                return result
            }
            simulation.stop()
            self.state.withLock { $0.simulation = nil }
            return result
        }
    }

    /// Writes all that is known about an error, in one line.
    static func log(_ error: any Error) {
        Simulator.log(ErrorReport(error).lines.joined(separator: "; "))
    }

    /// Writes one line for the person who runs the program.
    static func log(_ line: String) {
        let bytes = Array("signet-token-simulator: \(line)\n".utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)  // There is no other place to say that this failed.
    }
}

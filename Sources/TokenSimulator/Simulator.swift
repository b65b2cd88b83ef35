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

    /// Calls a function of the module inside, unless a fault is due.
    ///
    /// - Parameters:
    ///   - isSizeQuery: true when the caller only asks how long the output will be; such a call never has a fault.
    ///   - call: gives `nil` when the module inside does not have the function.
    func forward(
        _ function: FunctionName, isSizeQuery: Bool = false,
        _ call: (UnsafeMutablePointer<CK_FUNCTION_LIST>) -> CK_RV?
    ) -> CK_RV {
        guard let simulation = self.current else { return CKR_CRYPTOKI_NOT_INITIALIZED }
        return simulation.faults.run(function, isSizeQuery: isSizeQuery) {
            call(simulation.module.functions) ?? CKR_FUNCTION_NOT_SUPPORTED
        }
    }

    /// Lets the simulation act on a call, unless a fault is due.
    func perform(_ function: FunctionName, _ action: (Simulation) -> CK_RV) -> CK_RV {
        guard let simulation = self.current else { return CKR_CRYPTOKI_NOT_INITIALIZED }
        return simulation.faults.run(function, isSizeQuery: false) { action(simulation) }
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
                let result = simulation.faults.run(.initialize, isSizeQuery: false) {
                    simulation.initializeModule(arguments)
                }
                if result == CKR_OK { state.simulation = simulation }
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
        if let earlier = faults, earlier.faults == configuration.faults {
            script = earlier
        } else {
            script = FaultScript(configuration.faults)
        }
        faults = script
        for (name, value) in configuration.environment { setenv(name, value, 1) }
        let module = try InnerModule(path: configuration.modulePath)
        return Simulation(configuration: configuration, module: module, faults: script)
    }

    /// `C_Finalize` (section 5.4).
    func finalize(_ reserved: UnsafeMutableRawPointer?) -> CK_RV {
        let result = self.forward(.finalize) { $0.pointee.C_Finalize?(reserved) }
        if result == CKR_OK { self.state.withLock { $0.simulation = nil } }
        return result
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

package import Diagnostics

/// A simulation that cannot start.
package struct SimulatorError: DiagnosableError, Equatable {
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String

        package init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// Nothing says that a simulation is wanted.
        package static let notConfigured = Code(rawValue: "notConfigured")
        /// The module inside could not be loaded.
        package static let module = Code(rawValue: "module")
        /// The ledger file could not be read or written.
        package static let ledger = Code(rawValue: "ledger")
        /// The event log could not be opened.
        package static let log = Code(rawValue: "log")
        /// The control socket could not be opened.
        package static let control = Code(rawValue: "control")
    }

    package let code: Code
    package let headline: String
    package let hresult: HRESULT
    package let advice: [Advice]

    package static func == (lhs: SimulatorError, rhs: SimulatorError) -> Bool { lhs.code == rhs.code }

    static func notConfigured(_ reason: String) -> SimulatorError {
        SimulatorError(
            code: .notConfigured, headline: "This module only simulates, and \(reason).", hresult: .invalidParameter,
            advice: [
                "Set SIGNET_SIMULATOR to a configuration with \"simulate: true\", or use the real module instead."
            ])
    }

    static func module(_ path: String, reason: String) -> SimulatorError {
        SimulatorError(
            code: .module, headline: "Could not load the module \(path) to simulate on: \(reason).",
            hresult: .moduleNotFound, advice: ["Correct the field \"module\" of the simulator's configuration."])
    }

    static func ledger(_ path: String, reason: String) -> SimulatorError {
        SimulatorError(
            code: .ledger, headline: "Could not use the ledger \(path): \(reason).", hresult: .writeFault,
            advice: ["Check the field \"ledger\" of the simulator's configuration and the rights of its directory."])
    }

    static func log(_ path: String, reason: String) -> SimulatorError {
        SimulatorError(
            code: .log, headline: "Could not open the event log \(path): \(reason).", hresult: .writeFault,
            advice: ["Check the field \"log\" of the simulator's configuration and the rights of its directory."])
    }

    static func control(_ path: String, reason: String) -> SimulatorError {
        SimulatorError(
            code: .control, headline: "Could not open the control socket \(path): \(reason).", hresult: .writeFault,
            advice: ["Correct the field \"control\" of the simulator's configuration; a short path is best."])
    }
}

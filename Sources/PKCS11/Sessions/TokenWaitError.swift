public import Diagnostics

/// The answer to a caller whose work on a token did not come back, or did not begin, in time.
///
/// Equality is on ``code`` only.
public struct TokenWaitError: DiagnosableError, Equatable {
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// A call was made and did not return in time. Its thread is left alone; what the call did is not known.
        public static let hung = Code(rawValue: "hung")
        /// All threads of the token were at work for too long. Nothing was called.
        public static let busy = Code(rawValue: "busy")
        /// Too many threads hang in the module to start another one. Nothing was called.
        public static let wedged = Code(rawValue: "wedged")
        /// The token was closed. Nothing was called.
        public static let closed = Code(rawValue: "closed")
        /// Sessions were opened anew since the handles of the work were found. Nothing was called.
        public static let outdated = Code(rawValue: "outdated")
        /// This process was forked from the one that uses the token. Nothing was called.
        public static let forked = Code(rawValue: "forked")
    }

    public let code: Code
    /// How long the caller waited, in seconds.
    public let seconds: Double
    public let token: TokenIdentification

    public init(code: Code, seconds: Double, token: TokenIdentification) {
        self.code = code
        self.seconds = seconds
        self.token = token
    }

    public var headline: String {
        let time = "\((self.seconds * 10).rounded() / 10) s"
        return switch self.code {
        case .hung: "The token \(self.token) did not answer a call within \(time)."
        case .busy: "The token \(self.token) was busy for \(time)."
        case .wedged: "Too many calls to the token \(self.token) do not return."
        case .outdated: "The sessions with the token \(self.token) were opened anew while a call waited."
        case .forked: "The token \(self.token) cannot be used in a process forked from the one that opened it."
        default: "The token \(self.token) is closed."
        }
    }

    public var hresult: HRESULT { [.hung, .busy, .wedged].contains(self.code) ? .timeout : .operationAborted }

    public var advice: [Advice] {
        switch self.code {
        case .hung, .wedged:
            ["Check the device and the way to it (reader, cable, network, the vendor's daemon), then restart it."]
        case .busy: ["Ask for less at a time, or allow more sessions if the device has them."]
        case .outdated: ["Find the objects on the token again, and repeat the call."]
        case .forked: ["Open the token in this process, or start the program anew instead of forking it."]
        default: ["Open the token again."]
        }
    }

    public static func == (lhs: TokenWaitError, rhs: TokenWaitError) -> Bool { lhs.code == rhs.code }
}

/// An error made ready for a reader.
///
/// The command line and the audit trail use ``lines``. A remote client gets ``publicText`` only, because facts
/// about tokens do not leave the machine.
public struct ErrorReport: Sendable {
    public let headline: String
    public let hresult: HRESULT
    public let tokenFailure: TokenFailure?
    public let facts: [Fact]
    public let advice: [Advice]

    /// Reports any error; one that is not a ``DiagnosableError`` is reported by its description as `E_UNEXPECTED`.
    public init(_ error: any Error) {
        if let known = error as? any DiagnosableError {
            self.headline = known.headline
            self.hresult = known.hresult
            self.tokenFailure = known.tokenFailure
            self.facts = known.facts
            self.advice = known.advice
        } else {
            self.headline = "\(error)"
            self.hresult = .unexpected
            self.tokenFailure = nil
            self.facts = []
            self.advice = ["Report this as a defect: an error reached the edge without a code."]
        }
    }

    /// Headline, facts, token and call, code with its text, advice, and after a failed call the next command, one a
    /// line.
    public var lines: [String] { self.lines(tokenOptions: "--token-file TOKEN.yaml") }

    /// ``lines``, with the next command made for one token.
    ///
    /// - Parameter tokenOptions: how the token is named to a command, such as `--instance DIR`.
    public func lines(tokenOptions: String) -> [String] {
        var lines = [self.headline]
        lines += self.facts.map { "\($0.name): \($0.value)" }
        if let failure = self.tokenFailure {
            if let token = failure.token { lines.append("token: \(token)") }
            let mechanism = failure.mechanism.map { " with \($0)" } ?? ""
            lines.append("call: \(failure.function)\(mechanism) returned \(failure.answer)")
            if let cause = failure.likelyCause { lines.append("likely cause: \(cause)") }
        }
        let name = self.hresult.name.map { " \($0)" } ?? ""
        lines.append("code: \(self.hresult)\(name): \(self.hresult.text)")
        lines += self.advice.map { "hint: \($0)" }
        if let failure = self.tokenFailure { lines.append("next: \(failure.nextCommand(tokenOptions))") }
        return lines
    }

    /// The code and its text: all that a remote client learns.
    public var publicText: String {
        "\(self.hresult.text) \(self.hresult)"
    }
}

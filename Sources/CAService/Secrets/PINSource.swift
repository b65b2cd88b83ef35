/// Where a token's PIN comes from. The PIN itself never stands in a configuration or in an argument.
package enum PINSource: Sendable, Hashable {
    /// The first line of a file that only its owner can read.
    case file(String)
    /// An environment variable of this name.
    case environment(String)
    /// Asked on the terminal, without echo.
    case prompt

    /// The forms of the command line and of `signet.yaml`: `prompt`, `file:PATH`, `env:NAME`.
    package init(_ text: String) throws(ServiceError) {
        switch true {
        case text == "prompt": self = .prompt
        case text.hasPrefix("file:") && text.count > 5: self = .file(String(text.dropFirst(5)))
        case text.hasPrefix("env:") && text.count > 4: self = .environment(String(text.dropFirst(4)))
        default: throw .invalidPINSource()
        }
    }

    package var text: String {
        switch self {
        case .file(let path): "file:\(path)"
        case .environment(let name): "env:\(name)"
        case .prompt: "prompt"
        }
    }
}

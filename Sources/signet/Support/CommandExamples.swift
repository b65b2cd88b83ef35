import ArgumentParser

extension CommandConfiguration {
    /// The configuration of a command that does something itself, with examples in its help and manual page.
    ///
    /// - Parameters:
    ///   - discussion: what the options' own help does not say.
    ///   - examples: command lines, one a line; a line that goes on ends in a backslash, as the shell wants it.
    init(commandName: String, abstract: String, discussion: String = "", examples: String) {
        let lines = examples.split(separator: "\n").map { "  " + $0 }
        let heading = lines.count == 1 ? "Example:" : "Examples:"
        let parts = [discussion, ([heading] + lines).joined(separator: "\n")]
        self.init(
            commandName: commandName, abstract: abstract,
            discussion: parts.filter { !$0.isEmpty }.joined(separator: "\n\n"))
    }
}

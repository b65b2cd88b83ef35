/// A regular expression of a profile, checked when it is made. Found anywhere in a text unless it is anchored.
public struct ProfilePattern: Hashable, Sendable, CustomStringConvertible {
    public let source: String

    /// - Returns: `nil` when `source` is not a regular expression.
    public init?(_ source: String) {
        guard (try? Regex(source)) != nil else { return nil }  // the only thing asked is whether it compiles
        self.source = source
    }

    /// True when the expression matches some part of `text`.
    public func isFound(in text: String) -> Bool {
        // `Regex` is not Sendable, so it is made again; it has compiled once, in the initializer.
        guard let regex = try? Regex(self.source) else { return false }
        return text.firstMatch(of: regex) != nil
    }

    public var description: String { self.source }
}

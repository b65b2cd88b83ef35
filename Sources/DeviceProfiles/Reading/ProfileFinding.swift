/// One thing that is wrong with a profile or another document of its kind.
public struct ProfileFinding: Hashable, Sendable, CustomStringConvertible {
    public var file: String
    /// 1 for the first; `nil` where the place has none, such as a field that is missing.
    public var line: Int?
    /// Dotted path of the field, such as `capacity.full_rv.keygen`; empty for the document as a whole.
    public var field: String
    /// What is wrong, as a clause.
    public var reason: String

    public init(file: String, line: Int?, field: String, reason: String) {
        self.file = file
        self.line = line
        self.field = field
        self.reason = reason
    }

    /// `FILE:LINE: FIELD: REASON`
    public var description: String {
        let place = self.line.map { "\(self.file):\($0)" } ?? self.file
        return self.field.isEmpty ? "\(place): \(self.reason)" : "\(place): \(self.field): \(self.reason)"
    }
}

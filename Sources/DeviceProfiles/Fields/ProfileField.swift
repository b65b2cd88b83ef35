internal import Diagnostics

/// One value of a profile, ready for a reader or a file.
public struct ProfileField: Hashable, Sendable {
    /// Dotted path, such as `capacity.full_rv.keygen`.
    public let path: String
    /// The value as YAML, on one line; `unknown` when nobody knows it.
    public let text: String
    /// `nil` for a value that is unknown.
    public let provenance: Provenance?

    init<Value>(_ path: String, _ value: ProfileValue<Value>, _ form: FieldForm<Value>) {
        self.path = path
        self.text = value.value.map(form.yaml) ?? "unknown"
        self.provenance = value.provenance
    }

    /// The name of the section of the document that it is in.
    public var section: String { String(self.path.prefix { $0 != "." }) }
}

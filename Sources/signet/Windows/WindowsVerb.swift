/// One verb of `certutil` or `certreq`.
struct WindowsVerb: Sendable {
    /// As the tool prints it in its last line, such as `GetKey`.
    let name: String
    /// What stands behind it.
    let syntax: String
    let summary: String
    /// How many words may stand behind it.
    let count: ClosedRange<Int>
    let run: @Sendable (WindowsSession) async throws -> Void
    /// What the tool says after its last line.
    let note: (@Sendable () -> String)?

    init(
        _ name: String, _ syntax: String, _ summary: String, _ count: ClosedRange<Int>,
        _ run: @escaping @Sendable (WindowsSession) async throws -> Void, note: (@Sendable () -> String)? = nil
    ) {
        self.note = note
        self.name = name
        self.syntax = syntax
        self.summary = summary
        self.count = count
        self.run = run
    }
}

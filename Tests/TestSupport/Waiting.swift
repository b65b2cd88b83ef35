/// Waits until something is true, looking often.
///
/// - Parameter what: how it is told when it never was.
/// - Throws: after minutes in which it never was; what the condition throws.
package func until(_ what: String, _ condition: () async throws -> Bool) async throws {
    for _ in 0..<6000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(50))
    }
    throw NeverTrue(description: "it never came about that \(what)")
}

private struct NeverTrue: Error, CustomStringConvertible {
    let description: String
}

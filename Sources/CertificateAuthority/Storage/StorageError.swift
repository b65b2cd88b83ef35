package import Diagnostics

/// The database did not do what was asked. Statements' arguments never stand in it.
package struct StorageError: DiagnosableError, Equatable {
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let cannotOpen = Code(rawValue: "cannotOpen")
        /// Another process holds the database longer than the time allowed.
        package static let busy = Code(rawValue: "busy")
        /// The disk is full or refuses to write.
        package static let notWritten = Code(rawValue: "notWritten")
        /// A unique value stands there already: a serial number, an intent's number.
        package static let duplicate = Code(rawValue: "duplicate")
        package static let notFound = Code(rawValue: "notFound")
        /// A stored value cannot be read back.
        package static let corrupt = Code(rawValue: "corrupt")
        /// The database was made by a newer version.
        package static let newerSchema = Code(rawValue: "newerSchema")
        /// The database belongs to another instance.
        package static let otherInstance = Code(rawValue: "otherInstance")
        package static let failed = Code(rawValue: "failed")
    }

    package var code: Code
    package var operation: String
    package var reason: String
    package var hresult: HRESULT
    package var facts: [Fact]
    package var advice: [Advice]

    package init(
        code: Code, operation: String, reason: String, hresult: HRESULT, facts: [Fact] = [], advice: [Advice]
    ) {
        self.code = code
        self.operation = operation
        self.reason = reason
        self.hresult = hresult
        self.facts = facts
        self.advice = advice
    }

    package var headline: String { "Could not \(self.operation): \(self.reason)." }

    package static func == (lhs: StorageError, rhs: StorageError) -> Bool { lhs.code == rhs.code }
}

package import Diagnostics

/// Why a message could not be read, built, verified, encrypted or decrypted.
///
/// Equality is on ``code`` alone. No field holds a key, a password, or the content of a message.
package struct PKIMessageError: DiagnosableError, Equatable {
    /// What kind of failure it is. New kinds can be added without breaking a `switch`.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        package let name: String

        package init(_ name: String) {
            self.name = name
        }

        package var description: String { self.name }
    }

    package let code: Code
    /// The structure or operation, as "PKCS #10 certification request".
    package let what: String
    /// What is wrong with it.
    package let reason: String
    package let hresult: HRESULT
    package let facts: [Fact]
    package let advice: [Advice]

    package init(
        code: Code, what: String, reason: String, hresult: HRESULT, facts: [Fact] = [], advice: [Advice]
    ) {
        self.code = code
        self.what = what
        self.reason = reason
        self.hresult = hresult
        self.facts = facts
        self.advice = advice
    }

    package var headline: String { "\(self.what): \(self.reason)." }

    package static func == (lhs: PKIMessageError, rhs: PKIMessageError) -> Bool { lhs.code == rhs.code }
}

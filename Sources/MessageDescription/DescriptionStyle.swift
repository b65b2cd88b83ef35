package import Foundation

/// How a description writes what readers want in different forms.
package struct DescriptionStyle: Sendable {
    /// A moment as text.
    package let time: @Sendable (Date) -> String
    /// A line before the values of attributes for which Windows has no formatter of its own, as its tool prints it.
    package let attributeNote: String?
    /// What was found inside encrypted contents, by the DER of their ContentInfo: lines that stand below them. Never a
    /// key's bytes.
    package var findings: [[UInt8]: [String]]

    package init(
        attributeNote: String? = nil, findings: [[UInt8]: [String]] = [:],
        time: @escaping @Sendable (Date) -> String
    ) {
        self.time = time
        self.attributeNote = attributeNote
        self.findings = findings
    }

    /// Times of ISO 8601 in UTC, as the other commands print them.
    package static let standard = DescriptionStyle { $0.formatted(.iso8601) }
}

public import Diagnostics

/// A profile that cannot be used, with everything that is wrong with it.
public struct ProfileError: DiagnosableError, Equatable {
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The file or directory could not be read.
        public static let unreadable = Code(rawValue: "unreadable")
        /// The file is not one YAML document.
        public static let notYAML = Code(rawValue: "notYAML")
        /// Fields are wrong, missing or unknown.
        public static let invalid = Code(rawValue: "invalid")
        /// No profile has that name.
        public static let notFound = Code(rawValue: "notFound")
        /// Several profiles fit a token equally well.
        public static let ambiguous = Code(rawValue: "ambiguous")
    }

    public let code: Code
    public let headline: String
    public let hresult: HRESULT
    /// All findings, in the order of the file.
    public let findings: [ProfileFinding]
    public let advice: [Advice]

    public var facts: [Fact] {
        self.findings.map { Fact("finding", $0.description) }
    }

    public static func == (lhs: ProfileError, rhs: ProfileError) -> Bool { lhs.code == rhs.code }

    static func unreadable(_ path: String, reason: String) -> ProfileError {
        ProfileError(
            code: .unreadable, headline: "Could not read \(path): \(reason).", hresult: .fileNotFound,
            findings: [ProfileFinding(file: path, line: nil, field: "", reason: reason)],
            advice: ["Check that the path exists and can be read."])
    }

    static func notYAML(_ file: String, line: Int?, reason: String) -> ProfileError {
        ProfileError(
            code: .notYAML, headline: "\(file) is not a YAML document: \(reason).", hresult: .invalidData,
            findings: [ProfileFinding(file: file, line: line, field: "", reason: reason)],
            advice: ["Correct the syntax at the line named; use spaces for indentation."])
    }

    static func invalid(_ findings: [ProfileFinding]) -> ProfileError {
        let files = Set(findings.map(\.file)).sorted().joined(separator: ", ")
        let count = findings.count == 1 ? "1 field is wrong" : "\(findings.count) fields are wrong"
        return ProfileError(
            code: .invalid, headline: "\(files) cannot be used: \(count).", hresult: .invalidData, findings: findings,
            advice: ["Correct each field named; hsm-profiles/README.md describes them all."])
    }

    static func ambiguous(_ token: TokenIdentification, fitting: [String]) -> ProfileError {
        ProfileError(
            code: .ambiguous,
            headline: "\(fitting.count) device profiles fit the token \(token) equally well: "
                + "\(fitting.joined(separator: ", ")).",
            hresult: .ambiguousName, findings: [],
            advice: [
                "Name the profile of this token in the configuration or with --profile.",
                "Make the match rule of one of them more exact, by model, firmware or module.",
            ])
    }

    static func notFound(_ name: String, known: [String], directories: [String]) -> ProfileError {
        let nearest = NearestName.of(name, among: known).map { ", the nearest is \"\($0)\"" } ?? ""
        return ProfileError(
            code: .notFound, headline: "There is no device profile \"\(name)\"\(nearest).", hresult: .notFound,
            findings: directories.map { ProfileFinding(file: $0, line: nil, field: "", reason: "searched") },
            advice: [
                Advice(
                    known.isEmpty
                        ? "Name a directory that holds device profiles."
                        : "Use one of \(known.sorted().joined(separator: ", ")), or add a file for the device.")
            ])
    }
}

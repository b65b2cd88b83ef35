public import Diagnostics

/// The device profiles of an installation.
public struct ProfileCatalog: Sendable {
    private struct Entry {
        var profile: DeviceProfile
        var path: String
        var text: String
    }

    /// Where the profiles were found, most important first.
    public let directories: [String]
    private var entries: [Entry] = []

    /// Reads all files `*.yaml` of some directories. Of two profiles with one name the first is taken, so that a
    /// directory of the operator's goes before the one that is shipped.
    ///
    /// - Throws: ``ProfileError`` with the findings of all files.
    public init(directories: [String]) throws(ProfileError) {
        self.directories = directories
        var findings: [ProfileFinding] = []
        for directory in directories {
            for name in try TextFile.yamlNames(in: directory) {
                let path = "\(directory)/\(name)"
                let text = try TextFile.read(path)
                do {
                    self.add(Entry(profile: try DeviceProfile(yaml: text, file: path), path: path, text: text))
                } catch {
                    findings += error.findings
                }
            }
        }
        guard findings.isEmpty else { throw .invalid(findings) }
    }

    private mutating func add(_ entry: Entry) {
        guard !self.entries.contains(where: { $0.profile.name == entry.profile.name }) else { return }
        self.entries.append(entry)
    }

    /// All profiles, sorted by name.
    public var profiles: [DeviceProfile] {
        self.entries.map(\.profile).sorted { $0.name < $1.name }
    }

    /// The file that a profile was read from.
    public func path(of name: String) -> String? {
        self.entries.first { $0.profile.name == name }?.path
    }

    /// The profile of that name.
    ///
    /// - Parameter overrides: see ``DeviceProfile/init(yaml:file:overrides:)``.
    /// - Throws: ``ProfileError`` with code ``ProfileError/Code/notFound``, or that of a wrong override.
    public func profile(named name: String, overrides: [String: String] = [:]) throws(ProfileError) -> DeviceProfile {
        guard let entry = self.entries.first(where: { $0.profile.name == name }) else {
            throw .notFound(name, known: self.entries.map(\.profile.name), directories: self.directories)
        }
        guard !overrides.isEmpty else { return entry.profile }
        return try DeviceProfile(yaml: entry.text, file: entry.path, overrides: overrides)
    }

    /// The profile that fits a token best: the one whose rule names the most fields.
    ///
    /// - Parameter modulePath: the module through which the token is reached.
    /// - Returns: `nil` when no rule fits; the device is unknown then.
    /// - Throws: ``ProfileError`` with code ``ProfileError/Code/ambiguous`` when several fit equally well: which of them
    ///   tells the truth about the device only the operator can say.
    public func match(_ token: TokenIdentification, modulePath: String) throws(ProfileError) -> DeviceProfile? {
        let fitting = self.profiles.compactMap { profile in
            profile.match.specificity(for: token, modulePath: modulePath).map { (profile: profile, fields: $0) }
        }
        let most = fitting.map(\.fields).max() ?? 0
        let best = fitting.filter { $0.fields == most }.map(\.profile)
        guard best.count < 2 else { throw .ambiguous(token, fitting: best.map(\.name)) }
        return best.first
    }
}

import Foundation

/// Where device profiles are looked for, first match first.
package struct ProfileDirectories: Sendable {
    package let paths: [String]

    package init(paths: [String]) {
        self.paths = paths
    }

    /// `SIGNET_PROFILES`; the instance's own `hsm-profiles`; and, upwards from the program, `hsm-profiles` (a checkout)
    /// and `share/signet/hsm-profiles` (an installation).
    package static func standard(instance: String?, environment: [String: String]) -> ProfileDirectories {
        var paths = environment["SIGNET_PROFILES"].map { [$0] } ?? []
        if let instance { paths.append(instance + "/hsm-profiles") }
        paths += ProfileDirectories.besideProgram()
        return ProfileDirectories(paths: paths.filter(FilePaths.exists))
    }

    private static func besideProgram() -> [String] {
        var directory = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        var paths: [String] = []
        while directory.path != "/" {
            paths.append(directory.appendingPathComponent("hsm-profiles").path)
            paths.append(directory.appendingPathComponent("share/signet/hsm-profiles").path)
            directory.deleteLastPathComponent()
        }
        return paths
    }
}

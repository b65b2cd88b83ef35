internal import Foundation

/// A copy of SoftHSM's module that finds its configuration by itself.
///
/// SoftHSM is told where its tokens are by the environment variable `SOFTHSM2_CONF`, which it reads at each
/// `C_Initialize`. A process has one environment, and many tests that initialise a module, some in the middle of a
/// recovery: with the variable each of them could be given the tokens of another test. The copy asks for a variable
/// that nobody sets and then takes what is written in it as the place of the configuration.
final class SoftHSMModule: Sendable {
    /// As long as the place that is built in, and therefore not in the directory for temporary files.
    private let configurationPath: String

    private static let library = "/usr/lib/softhsm/libsofthsm2.so"
    private static let builtInPath = "/etc/softhsm/softhsm2.conf"

    /// - Parameter path: where the copy is written.
    init(copyTo path: String, configuration: String) throws {
        let random = UInt64.random(in: 0...UInt64.max)
        let name = String(random, radix: 16).suffix(14)
        self.configurationPath = "/tmp/signet-" + String(repeating: "0", count: 14 - name.count) + name
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: self.configurationPath))
        let library = URL(fileURLWithPath: Self.library).resolvingSymlinksInPath()
        var module = try Data(contentsOf: library)
        try Self.replace("SOFTHSM2_CONF", by: "SOFTHSM2_NONE", in: &module)
        try Self.replace("/.config/softhsm2/softhsm2.conf", by: "/.config/softhsm2/softhsm2.none", in: &module)
        try Self.replace(Self.builtInPath, by: self.configurationPath, in: &module)
        try module.write(to: URL(fileURLWithPath: path))
    }

    deinit {
        // Nothing depends on the removal of a small file of ours.
        try? FileManager.default.removeItem(atPath: self.configurationPath)
    }

    private static func replace(_ text: String, by other: String, in module: inout Data) throws {
        guard let range = module.range(of: Data(text.utf8)), text.utf8.count == other.utf8.count else {
            throw TokenFactoryError.notInModule(text)
        }
        module.replaceSubrange(range, with: Data(other.utf8))
    }
}

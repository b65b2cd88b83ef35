package import Foundation

/// A directory of one test's own, removed with everything in it when the last reference goes.
package final class TemporaryDirectory: Sendable {
    package let url: URL

    package init() throws {
        self.url = FileManager.default.temporaryDirectory
            .appendingPathComponent("signet-test-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(
            at: self.url, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    deinit {
        // Nothing depends on the removal; what stays is in the system's temporary directory.
        try? FileManager.default.removeItem(at: self.url)
    }

    package var path: String { self.url.path }

    /// The path of a file in the directory, which need not exist.
    package func path(_ name: String) -> String { self.url.appendingPathComponent(name).path }

    /// Writes a file and returns its path.
    @discardableResult
    package func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: self.url.appendingPathComponent(name))
        return self.path(name)
    }

    package func read(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: self.url.appendingPathComponent(name)))
    }
}

import Foundation
package import PKCS11
package import PKCS11KeyProvider

/// What is written down about tokens beside their use: refused PINs, and calls into modules where that is asked for.
package struct TokenRecords: Sendable {
    package let refusals: any PINRefusalStore
    package let trace: CallTrace?

    /// The variable that names the file for a trace of all calls into PKCS #11 modules.
    package static let traceVariable = "SIGNET_TRACE_PKCS11"

    /// Refused PINs are remembered in the instance's directory, or without one in `signet/pin-refusals` below
    /// `XDG_STATE_HOME` or `~/.local/state`.
    ///
    /// - Throws: ``ServiceError`` when that directory cannot be made, ``CallTraceError`` for the trace.
    package static func standard(instance: String?, environment: [String: String]) throws -> TokenRecords {
        TokenRecords(
            refusals: PINRefusalFile(path: try self.refusalPath(instance: instance, environment: environment)),
            trace: try environment[self.traceVariable].map { path throws(CallTraceError) in try CallTrace(path: path) })
    }

    private static func refusalPath(instance: String?, environment: [String: String]) throws -> String {
        if let instance { return instance + "/pin-refusals" }
        let home = FileManager.default.homeDirectoryForCurrentUser.path
        let directory = (environment["XDG_STATE_HOME"] ?? home + "/.local/state") + "/signet"
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw ServiceError.notWritten(directory, error.localizedDescription)
        }
        return directory + "/pin-refusals"
    }
}

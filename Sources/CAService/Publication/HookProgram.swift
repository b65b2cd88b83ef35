import Diagnostics
import Foundation
import Glibc
import Synchronization

/// A program of the operator's that is run with a deadline.
package struct HookProgram: Sendable {
    /// What of its complaints goes into an error.
    private static let complaintBytes = 500

    private static let environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"]

    package let path: String
    package let deadlineSeconds: Int

    /// - Parameter path: absolute.
    package init(path: String, deadlineSeconds: Int) {
        self.path = path
        self.deadlineSeconds = deadlineSeconds
    }

    /// Runs the program to its end. One that has not ended by the deadline is killed.
    ///
    /// - Parameters:
    ///   - environment: beside a search path and a locale; nothing of this process's own, which may have PINs in it.
    ///   - input: on its standard input.
    /// - Throws: ``ServiceError`` with code `hookFailed`: it cannot be started, ended with another code than 0, or was
    ///   killed.
    package func run(
        arguments: [String] = [], environment: [String: String] = [:], input: [UInt8] = []
    ) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: self.path)
        process.arguments = arguments
        process.environment = HookProgram.environment.merging(environment) { $1 }
        let (stdin, stderr) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = FileHandle.nullDevice
        process.standardError = stderr
        let complaint = Mutex<[UInt8]>([])
        stderr.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            complaint.withLock { $0 = Array(($0 + data).prefix(Self.complaintBytes)) }
        }
        let timedOut = Mutex(false)
        let status = try await self.status(of: process, input, stdin, timedOut)
        stderr.fileHandleForReading.readabilityHandler = nil
        let text = String(decoding: complaint.withLock { $0 }, as: UTF8.self).split(separator: "\n").first ?? ""
        if timedOut.withLock({ $0 }) {
            throw ServiceError.hookFailed(self.path, "it had not ended after \(self.deadlineSeconds) s and was killed")
        }
        guard status == 0 else {
            throw ServiceError.hookFailed(self.path, "it ended with code \(status)" + (text.isEmpty ? "" : ": \(text)"))
        }
    }

    private func status(
        of process: Process, _ input: [UInt8], _ stdin: Pipe, _ timedOut: borrowing Mutex<Bool>
    ) async throws -> Int32 {
        let ended = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { process in
            ended.continuation.yield(process.terminationStatus)
            ended.continuation.finish()
        }
        do { try process.run() } catch {
            throw ServiceError.hookFailed(self.path, "it cannot be started: \(error.localizedDescription)")
        }
        let pid = process.processIdentifier
        let deadline = self.deadlineSeconds
        let killer = Task {
            try await Task.sleep(for: .seconds(deadline))
            kill(pid, SIGKILL)
            return true
        }
        // A program that does not read its input must not end this process.
        signal(SIGPIPE, SIG_IGN)
        try? stdin.fileHandleForWriting.write(contentsOf: Data(input))  // it need not read what it does not want
        try? stdin.fileHandleForWriting.close()  // as above
        var status: Int32 = -1
        for await code in ended.stream { status = code }
        killer.cancel()
        // `try?`: a killer that was cancelled has killed nobody.
        if (try? await killer.value) == true { timedOut.withLock { $0 = true } }
        return status
    }
}

extension ServiceError {
    fileprivate static func hookFailed(_ path: String, _ reason: String) -> ServiceError {
        ServiceError(
            code: .hookFailed, headline: "The program \"\(path)\" did not do its work: \(reason).",
            hresult: .writeFault, facts: [Fact("program", path)],
            advice: ["Run the program by hand as the service's user; the service tries again by itself."])
    }
}

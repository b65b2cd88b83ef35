import Diagnostics

/// A program of the operator's that is run with a deadline.
package struct HookProgram: Sendable {
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
        let result: SpawnedProgram.Result
        do {
            result = try await SpawnedProgram.run(
                .init(
                    path: self.path, arguments: arguments, environment: environment, input: input,
                    deadlineSeconds: self.deadlineSeconds))
        } catch let failure as SpawnedProgram.Failure {
            switch failure {
            case .notStarted(let why): throw ServiceError.hookFailed(self.path, "it cannot be started: \(why)")
            case .overdue, .tooLong:
                throw ServiceError.hookFailed(
                    self.path, "it had not ended after \(self.deadlineSeconds) s and was killed")
            }
        }
        guard result.status == 0 else {
            let text = result.complaint.split(separator: "\n").first ?? ""
            throw ServiceError.hookFailed(
                self.path, "it ended with code \(result.status)" + (text.isEmpty ? "" : ": \(text)"))
        }
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

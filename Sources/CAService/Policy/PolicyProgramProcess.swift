import CertificateAuthority

/// A policy program as a process of its own for each question: the question on standard input, the answer on standard
/// output.
struct PolicyProgramProcess: PolicyProgram {
    private static let maximumAnswerBytes = 1 << 20

    let path: String
    let arguments: [String]
    let deadlineSeconds: Int

    var name: String { self.path }

    func answer(to question: [UInt8]) async throws -> [UInt8] {
        let result: SpawnedProgram.Result
        do {
            result = try await SpawnedProgram.run(
                .init(
                    path: self.path, arguments: self.arguments, input: question,
                    deadlineSeconds: self.deadlineSeconds, outputLimit: PolicyProgramProcess.maximumAnswerBytes))
        } catch let failure as SpawnedProgram.Failure {
            switch failure {
            case .notStarted(let why): throw PolicyModuleError.failed(self.path, "could not be started: \(why)")
            case .overdue: throw PolicyModuleError.deadline(self.path, seconds: self.deadlineSeconds)
            case .tooLong(let limit):
                throw PolicyModuleError.badAnswer(self.path, "it is longer than \(limit) bytes")
            }
        }
        guard result.status == 0 else {
            throw PolicyModuleError.failed(
                self.path, "ended with status \(result.status)", standardError: result.complaint)
        }
        return result.output
    }
}

import CertificateAuthority
import Foundation
import Glibc

/// A policy program as a process of its own for each question: the question on standard input, the answer on standard
/// output. It gets neither the service's environment, where a PIN may be, nor any of its files.
struct PolicyProgramProcess: PolicyProgram {
    /// At most that many run at a time; more requests wait.
    private static let queue: OperationQueue = {
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 8
        return queue
    }()
    private static let maximumAnswerBytes = 1 << 20

    let path: String
    let arguments: [String]
    let deadlineSeconds: Int

    var name: String { self.path }

    func answer(to question: [UInt8]) async throws -> [UInt8] {
        try await withCheckedThrowingContinuation { continuation in
            PolicyProgramProcess.queue.addOperation {
                continuation.resume(with: Result { try self.run(question) })
            }
        }
    }

    private func run(_ question: [UInt8]) throws -> [UInt8] {
        let child = try SpawnedProgram(path: self.path, arguments: self.arguments)
        let deadline = ContinuousClock.now + .seconds(self.deadlineSeconds)
        do {
            let output = try child.converse(question, until: deadline, limit: PolicyProgramProcess.maximumAnswerBytes)
            switch try child.wait(until: deadline) {
            case 0: return output.answer
            case let status:
                let complaint = String(decoding: output.complaint.prefix(500), as: UTF8.self)
                throw PolicyModuleError.failed(self.path, "ended with status \(status)", standardError: complaint)
            }
        } catch is SpawnedProgram.Overdue {
            child.kill()
            throw PolicyModuleError.deadline(self.path, seconds: self.deadlineSeconds)
        } catch {
            child.kill()
            throw error
        }
    }
}

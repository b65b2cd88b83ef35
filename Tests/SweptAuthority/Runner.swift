import CAService
import CertificateAuthority
import Diagnostics
import Foundation

/// Works through the scenario. Before each piece of work the authority is opened as after a restart, and examined.
final class Runner {
    private let instance: String
    private var diary: Diary
    private let request: [UInt8]
    private var orders: FaultOrders
    private let stride: Int

    init(instance: String, diary: Diary, request: [UInt8], orders: FaultOrders, stride: Int) {
        self.instance = instance
        self.diary = diary
        self.request = request
        self.orders = orders
        self.stride = stride
    }

    /// In place of a status code: what failed was not needed, such as a place where CRLs are published.
    private static let absorbed = "absorbed"

    private func open() async throws -> Scene {
        let scene = try await Scene(self.instance, request: self.request)
        let found = try await Examination(scene: scene, diary: self.diary).contradictions()
        guard found.isEmpty else { throw SceneError("after a restart: " + found.joined(separator: "; ")) }
        try await scene.openToken()
        return scene
    }

    /// - Parameter number: at which call of the first step the process ends; of later steps it is the sweep's own.
    func workUntilKilled(number: Int) async throws {
        let scene = try await self.open()
        var number = number
        while self.diary.nextIndex < Step.scenario.count {
            let index = self.diary.nextIndex
            try await scene.prepare(for: Step.scenario[index])
            try self.orders.order(number)
            let detail = try await scene.perform(Step.scenario[index])
            let count = try self.orders.end()
            try self.diary.note(index, detail)
            print("calls \(Step.scenario[index].rawValue) \(count)")
            number = Sweep.firstNumber(ofStep: index + 1, stride: self.stride)
        }
        try await self.finish(scene)
    }

    /// Lets one call of a step fail after another, and restarts after each.
    func workThroughFailures() async throws {
        var (met, absorbed) = (0, 0)
        var codes: [String: Int] = [:]
        for (index, step) in Step.scenario.enumerated() {
            var number = Sweep.firstNumber(ofStep: index, stride: self.stride)
            while let code = try await self.attempt(step, index, failingAt: number) {
                met += 1
                if code == Runner.absorbed { absorbed += 1 } else { codes[code, default: 0] += 1 }
                number += self.stride
            }
        }
        try await self.finish(self.open())
        print("met \(met), absorbed \(absorbed)")
        for (code, count) in codes.sorted(by: { $0.key < $1.key }) { print("code \(code) \(count)") }
    }

    /// - Returns: what came of the fault, a status code or `absorbed`; `nil` when the step has not so many calls.
    private func attempt(_ step: Step, _ index: Int, failingAt number: Int) async throws -> String? {
        let scene = try await self.open()
        let ledger = LedgerOfSignatures(scene, trace: self.trace)
        try await scene.prepare(for: step)
        let before = try await ledger.state()
        try self.orders.order(number)
        let result: Result<String, any Error>
        do { result = .success(try await scene.perform(step)) } catch { result = .failure(error) }
        let isMet = try self.orders.end() >= number
        try await ledger.check(since: before)
        await scene.close()
        switch result {
        case .success(let detail):
            try self.diary.note(index, detail)
            return isMet ? Runner.absorbed : nil
        case .failure(let error):
            guard isMet else { throw error }
            return ErrorReport(error).hresult.description
        }
    }

    /// Calls into the token are written there.
    private var trace: String? { ProcessInfo.processInfo.environment[TokenRecords.traceVariable] }

    private func finish(_ scene: Scene) async throws {
        let found = try await Examination(scene: scene, diary: self.diary).finalContradictions()
        guard found.isEmpty else { throw SceneError("at the end: " + found.joined(separator: "; ")) }
        await scene.close()
    }
}

enum Sweep {
    /// Another one in each step, so that steps that are alike meet their faults at different calls.
    static func firstNumber(ofStep index: Int, stride: Int) -> Int { 1 + (index * 7) % stride }
}

/// Signatures of the token against what was stored before it was asked.
private struct LedgerOfSignatures {
    private let scene: Scene
    private let trace: String

    init(_ scene: Scene, trace: String?) {
        self.scene = scene
        self.trace = trace ?? ""
    }

    /// A key that was just made signs once for nobody, to show that it is what its public key says.
    func state() async throws -> (signatures: Int, intents: Int64) {
        let calls = try String(contentsOfFile: self.trace, encoding: .utf8).split(separator: "\n")
        let signatures = calls.count { $0.contains(" > C_Sign ") }
        let newKeys = calls.count { $0.contains(" < C_GenerateKeyPair ") && $0.contains(" CKR_OK ") }
        return (signatures - newKeys, try await self.scene.instance.storage.read { try $0.lastIntentID() })
    }

    /// The token is asked for nothing of which no intent could be stored.
    func check(since before: (signatures: Int, intents: Int64)) async throws {
        let now = try await self.state()
        guard Int64(now.signatures - before.signatures) <= now.intents - before.intents else {
            throw SceneError("the token signed \(now.signatures - before.signatures) times without an intent")
        }
    }
}

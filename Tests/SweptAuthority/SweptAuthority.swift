import ArgumentParser
import CAService
import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider

/// A certification authority that works until a fault ends it: the child process of the crash sweep.
@main
struct SweptAuthority: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swept-authority", abstract: "Works through a scenario, with faults.",
        subcommands: [Create.self, Work.self, Move.self, ExamineMove.self])
}

/// Makes the authority.
struct Create: AsyncParsableCommand {
    @Argument var instance: String
    @Option var module: String
    @Option var label: String
    @Option var pin: String
    /// Lets another token have a copy of the key.
    @Flag var copyable = false

    func run() async throws {
        let configuration = InstanceConfiguration(
            name: "Swept CA", type: .root,
            token: TokenConfiguration(
                module: self.module, token: "pkcs11:token=\(self.label)", profile: "softhsm2", pin: .file(self.pin)),
            web: .init(host: "127.0.0.1", port: 1, publicationPort: 2, publicationURL: "http://localhost:2"),
            userPrincipalNameSuffix: nil)
        var plan = InstanceCreation.Plan(
            directory: self.instance, configuration: configuration, subject: "CN=Swept CA", keyAlgorithm: .p256)
        plan.keyMayBeCopied = self.copyable
        _ = try await InstanceCreation(plan: plan, secrets: .system).makeRoot()
    }
}

/// Goes on with the scenario where the diary ends, until a fault ends the process or the scenario has ended.
struct Work: AsyncParsableCommand {
    @Argument var instance: String
    @Option var diary: String
    @Option var request: String
    /// Names with commas between, taken in turn.
    @Option(transform: { try $0.split(separator: ",").map { try Fault(named: String($0)) } }) var fault: [Fault]
    /// At which call of the first step the fault comes.
    @Option var number: Int
    /// Of the calls of a step every so many meet the fault, beginning at another one in each step.
    @Option var stride: Int
    /// The socket of the token's simulator.
    @Option var control: String?

    func run() async throws {
        let runner = try Runner(
            instance: self.instance, diary: Diary(path: self.diary),
            request: Array(Data(contentsOf: URL(filePath: self.request))),
            orders: FaultOrders(faults: self.fault, instance: self.instance, control: self.control),
            stride: self.stride)
        try await reporting {
            if self.fault[0].endsProcess {
                try await runner.workUntilKilled(number: self.number)
            } else {
                try await runner.workThroughFailures()
            }
        }
    }
}

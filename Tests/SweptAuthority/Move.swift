import ArgumentParser
import CAService
import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKCS11

/// The token that the authority moves to.
struct TargetToken: ParsableArguments {
    static let name = "target"

    @Option var module: String
    @Option var label: String
    @Option var pin: String
    @Flag var newKey = false

    func migration(of instance: Instance) async throws -> TokenMigration {
        let token = TokenConfiguration(
            module: self.module, token: "pkcs11:token=\(self.label)", profile: "softhsm2", pin: .file(self.pin))
        return try await TokenMigration(
            TokenMigrationOrder(name: Self.name, token: token, wantsNewKey: self.newKey), of: instance,
            by: instance.localOperator())
    }
}

/// Moves the authority to another token, until a fault ends the process or somebody else has to do something. The faults of
/// tokens stand in the settings of their simulators.
struct Move: AsyncParsableCommand {
    @Argument var instance: String
    @OptionGroup var target: TargetToken
    /// Of the disk.
    @Option(transform: { try Fault(named: $0) }) var fault: Fault?
    @Option var number = 0

    func run() async throws {
        try await reporting {
            let instance = try Instance.open(self.instance, secrets: .system)
            var migration = try await self.target.migration(of: instance)
            var orders = try FaultOrders(faults: self.fault.map { [$0] } ?? [], instance: self.instance, control: nil)
            if self.fault != nil { try orders.order(self.number) }
            while let done = try await migration.carryOutNext() { print("done \(done.step.rawValue)") }
            print("calls \(try orders.end())")
            await instance.tokens.close()
        }
    }
}

/// Opens the authority as after a restart, and says what is wrong.
struct ExamineMove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "examine-move")

    @Argument var instance: String
    @OptionGroup var target: TargetToken
    /// Nothing is left to do but to back up.
    @Flag var finished = false

    func run() async throws {
        try await reporting {
            let instance = try Instance.open(self.instance, secrets: .system)
            var found = try await self.findings(instance)
            if self.finished {
                let next = try await self.target.migration(of: instance).status().first { !$0.state.isSettled }
                if next?.step != .backUp { found.append("the next step is \(next?.step.rawValue ?? "none")") }
                if instance.configuration.signingToken != TargetToken.name { found.append("it signs elsewhere") }
            }
            await instance.tokens.close()
            guard found.isEmpty else { throw SceneError(found.joined(separator: "; ")) }
        }
    }

    private func findings(_ instance: Instance) async throws -> [String] {
        let authority = try await instance.authority().authority
        let verdict = try await instance.verifyAudit(by: instance.localOperator())
        var found = verdict.findings.map { "audit verify: \($0)" }
        let (intents, entries) = try await instance.storage.read { db in
            (try db.openIntents(), try db.auditEntries(after: 0, limit: 1_000_000))
        }
        found += intents.map { "intent \($0.number) is open" }
        let isProven = entries.contains {
            $0.event.id == .messageSigned && $0.event.details["Purpose"] == "move to the token \(TargetToken.name)"
        }
        for signer in authority.signers {
            let reference = signer.signingKey.locator.reference.uri
            let isMoved = try PKCS11URI(reference).token == self.target.label
            // A new key has proven itself by its certificate.
            if isMoved, !self.target.newKey, !isProven { found.append("\(reference) is in use, and was not proven") }
            try await authority.prove(signer, purpose: "examination")
        }
        let newest = authority.signers.count
        if newest != (self.finished && self.target.newKey ? 2 : 1), self.finished || newest > 2 {
            found.append("the CA has \(newest) keys")
        }
        return found
    }
}

/// Says an error in full, for the test.
func reporting(_ body: () async throws -> Void) async throws {
    do { try await body() } catch {
        let report = ErrorReport(error)
        FileHandle.standardError.write(Data("\(error)\n\(report.lines.joined(separator: "\n"))\n".utf8))
        throw ExitCode.failure
    }
}

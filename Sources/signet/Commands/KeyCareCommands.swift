import ArgumentParser
import CAService
import CertificateAuthority
import Diagnostics
import Foundation
import KeyArchival

/// `signet key rewrap`
struct RewrapKeys: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "rewrap", abstract: "Encrypt archived keys anew to the agents of today (administrators).",
        discussion: """
            Needs the card of an agent who can still open them; where several have to act together, all their cards at the
            same time. Those that are encrypted as is wanted today stay as they are, so that an interrupted run goes on
            where it was.
            """,
        examples: "signet key rewrap --token-file kra1.yaml")

    @OptionGroup var options: InstanceOptions
    @OptionGroup var cards: CardOptions

    @Flag(name: .long, help: "Also those that are encrypted to agents of today.")
    var all = false

    func run(in context: CommandContext) async throws {
        let authority = try await context.open(self.options).authority()
        let who = try await authority.localOperator()
        let rewrap = try authority.keyRewrap(for: who)
        let cards = try await self.cards.open(in: context)
        let meter = ProgressMeter()
        var count = 0
        let report = try await rewrap.run(with: cards, includingCurrent: self.all, by: who) { progress in
            switch progress {
            case .rewrapped: break
            case .notOpened(let requestID): meter.complain("request \(requestID): the cards cannot open its key")
            case .refused(let requestID, let error):
                meter.complain("request \(requestID) stays as it is: \(error.headline) \(error.hresult)")
            }
            count += 1
            meter.reached(keys: count)
        }
        meter.finish()
        if report.rewrapped > 0 { await authority.vouchForKeys() }
        Console.say("Archived keys: \(report.archives)")
        Console.say("Encrypted anew: \(report.rewrapped)")
        Console.say("As they were: \(report.current)")
        Console.say("Not opened by the cards: \(report.notOpened)")
        if report.refused > 0 { Console.say("Refused: \(report.refused)") }
        if report.notOpened + report.refused > 0 { throw ExitCode.failure }
    }
}

/// `signet key drill`
struct DrillRecovery: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill", abstract: "Prove that archived keys can be recovered, by a sample of them.",
        discussion: """
            Needs the card of an agent; where several have to act together, all their cards at the same time. The report is
            stored, also of a drill in which keys failed.
            """,
        examples: """
            signet key drill --sample 20 --token-file kra1.yaml
            signet key drill --list
            """)

    @OptionGroup var options: InstanceOptions
    @OptionGroup var cards: CardOptions

    @Option(name: .long, help: "How many archived keys.")
    var sample: Int = 10

    @Flag(name: .long, help: "Only when the last good one is older than archival.drill-days.")
    var ifDue = false

    @Flag(name: .long, help: "Show the stored reports instead.")
    var list = false

    func validate() throws {
        guard (1...10_000).contains(self.sample) else { throw ValidationError("--sample takes 1 to 10000.") }
    }

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        if self.list {
            let drills = try await instance.recoveryDrills(for: instance.localOperator())
            for drill in drills { Console.say(drill.reportJSON) }
            return
        }
        if self.ifDue, let last = try await instance.lastDrillStillGood(for: instance.localOperator()) {
            return Console.say("The last good drill was at \(Output.time(last)); none is due.")
        }
        let authority = try await instance.authority(for: .records)
        let who = try await authority.localOperator()
        let drill = try authority.recoveryDrill(for: who)
        let report = try await drill.run(sample: self.sample, with: self.cards.open(in: context), by: who)
        Console.say("Recovered: \(report.recovered.count)")
        Console.say("Of these in host memory: \(report.inHostMemory.count)")
        Console.say("Of other agents: \(report.ofOtherAgents.count)")
        Console.say("Failed: \(report.failures.count)")
        for failure in report.failures { Console.complain("request \(failure.requestID): \(failure.reason)") }
        if !report.isGood { throw ExitCode.failure }
    }
}

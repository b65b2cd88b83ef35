import ArgumentParser
import CAService
import CertificateAuthority
import Diagnostics
import KeyArchival
import KeyProvider
import PKIMessages

/// `signet kra enroll|accept|add|remove|list|status`
struct RecoveryAgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kra", abstract: "Key recovery agents and their cards.",
        subcommands: [
            EnrollAgent.self, AcceptAgentCertificate.self, AddAgent.self, RemoveAgent.self,
            ListAgents.self, AgentStatus.self,
        ])
}

/// `signet kra enroll`
struct EnrollAgent: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "enroll", abstract: "Generate a recovery agent's key on a card and request its certificate.",
        discussion: "The card's room for key and certificate is checked before anything is written.",
        examples: """
            signet kra enroll --name "KRA 1" --token-file kra1.yaml
            """)

    @OptionGroup var options: InstanceOptions
    @OptionGroup var card: TokenOptions

    @Option(name: .long, help: "The agent's name: common name of the certificate and label on the card.")
    var name: String

    @Option(name: .long, help: "rsa-2048 (when left out), rsa-3072 or rsa-4096.")
    var keyAlgorithm: KeyAlgorithmArgument?

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let authority = try await instance.authority()
        let card = try await context.open(self.card)
        let enrollment = AgentEnrollment(
            card: card, name: self.name,
            algorithm: self.keyAlgorithm?.algorithm ?? .rsa(modulusBits: 2048))
        let result = try await enrollment.enroll(requester: authority.localOperator()) {
            try await authority.submit($0)
        }
        try RequestReport(result).print(certificatePath: nil)
        Console.say("When it is issued: signet kra accept --request \(result.requestID) ...")
    }
}

/// `signet kra accept`
struct AcceptAgentCertificate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Write an agent's issued certificate to the card that has its key.",
        examples: "signet kra accept --request 4 --token-file kra1.yaml")

    @OptionGroup var options: InstanceOptions
    @OptionGroup var card: TokenOptions

    @Option(name: .long, help: "The request's number.")
    var request: Int64

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let certificate = try await instance.issuedCertificate(ofRequest: self.request, for: instance.localOperator())
        let card = try await context.open(self.card)
        let pair = try await AgentEnrollment.accept(certificate, on: card)
        Console.say("Certificate \(certificate.serialHex) written to \(card.identification) beside key \(pair.label).")
    }
}

/// `signet kra add`
struct AddAgent: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Archive keys to this agent from now on.",
        examples: """
            signet kra add --request 4
            signet kra add --certificate kra1.crt
            """)

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "The number of the request that the agent's certificate was issued for.")
    var request: Int64?

    @Option(name: .long, help: "The agent's certificate, PEM or DER.")
    var certificate: String?

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let der: [UInt8]
        switch (self.request, self.certificate) {
        case (let number?, nil):
            der = try await instance.issuedCertificate(ofRequest: number, for: instance.localOperator()).derBytes
        case (nil, let path?): der = try Output.readDER(path, what: path)
        default: throw ValidationError("Name either --request or --certificate.")
        }
        let agent = try await instance.authority(for: .records).addRecoveryAgent(der, by: instance.localOperator())
        Console.say("Keys are archived to \(agent.subject) (serial \(agent.serialHex)) from now on.")
    }
}

/// `signet kra remove`
struct RemoveAgent: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Archive no more keys to this agent.",
        discussion: "Keys that were archived to the agent before can be recovered by it as long as its card exists.",
        examples: "signet kra remove 611e23c200030000000e")

    @OptionGroup var options: InstanceOptions

    @Flag(name: .long, help: "Also when fewer agents are left than each key needs: no key is archived then.")
    var force = false

    @Argument(help: "Serial number or SHA-1 thumbprint of the agent's certificate.")
    var agent: String

    func run(in context: CommandContext) async throws {
        let authority = try await context.open(self.options).authority(for: .records)
        let removed = try await authority.removeRecoveryAgent(
            self.agent, force: self.force, by: authority.localOperator())
        Console.say("No more keys are archived to \(removed).")
    }
}

/// `signet kra status`
struct AgentStatus: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Tell whether keys can be archived, and what is wrong with which agent.",
        discussion: "Exits with 1 unless keys can be archived.",
        examples: "signet kra status")

    @OptionGroup var options: InstanceOptions

    func run(in context: CommandContext) async throws {
        let authority = try await context.open(self.options).authority(for: .records)
        let state = try await authority.archivalState(for: authority.localOperator())
        for agent in state.agents {
            Console.say("\(agent.index): \(agent.certificate.map { "\($0.subject)" } ?? "unreadable certificate")")
            if let certificate = agent.certificate {
                Console.say("  Serial Number: \(certificate.serialHex)")
                Console.say("  NotAfter: \(Output.time(certificate.notAfter))")
            }
            let thumbprint = agent.sha1Thumbprint.map { Hexadecimal.lower([$0]) }.joined(separator: " ")
            Console.say("  Cert Hash(sha1): \(thumbprint)")
            Console.say("  State: \(agent.state.rawValue) \(agent.state)")
            if let failure = agent.failure {
                Console.say("  Failed check: \(failure.reason). \(failure.hresult.eventText)")
            }
        }
        guard let obstacle = state.obstacle else {
            Console.say("Keys are archived to \(state.count) of \(state.agents.count) agents in turn.")
            return
        }
        Console.say("No key is archived: \(obstacle.reason). \(obstacle.hresult.eventText)")
        throw ExitCode.failure
    }
}

/// `signet kra list`
struct ListAgents: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the agents with the state of their certificates.",
        examples: "signet kra list")

    @OptionGroup var options: InstanceOptions

    func run(in context: CommandContext) async throws {
        let authority = try await context.open(self.options).authority(for: .records)
        let agents = try await authority.recoveryAgents(for: authority.localOperator())
        Console.table(
            ["State", "Serial", "Not after", "Subject"],
            agents.map { agent in
                guard let certificate = agent.certificate else { return ["\(agent.state)", "-", "-", "-"] }
                return [
                    "\(agent.state)", certificate.serialHex, Output.time(certificate.notAfter),
                    "\(certificate.subject)",
                ]
            })
    }
}

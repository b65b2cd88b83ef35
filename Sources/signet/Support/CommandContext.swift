import ArgumentParser
import CAService
import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider

/// The instances and tokens that one command has opened. They are closed when the command ends, however it ends.
///
/// The first one that opens tokens has the modules of all, and is closed last.
final class CommandContext {
    private var openers: [TokenOpener] = []
    private var instances: [Instance] = []

    func open(_ options: InstanceOptions) throws -> Instance {
        let instance = try Instance.open(options.instance, secrets: .interactive, beside: self.openers.first)
        self.openers.append(instance.tokens)
        self.instances.append(instance)
        return instance
    }

    /// Opens an instance for an operator who has to be allowed something there.
    ///
    /// - Parameter text: what is being done, as it stands after "Could not".
    func open(_ options: InstanceOptions, for operation: CAOperation, to text: String) async throws -> Instance {
        let instance = try self.open(options)
        try await instance.localOperator().mustBeAllowed(operation, to: text)
        return instance
    }

    func open(_ options: TokenOptions) async throws -> any KeyToken {
        try await self.opener().open(options.configuration())
    }

    /// Opens tokens that stand in no instance.
    func opener() throws -> TokenOpener {
        let opener = try TokenOpener(
            directory: ".", secrets: .interactive,
            profiles: .standard(instance: nil, environment: ProcessInfo.processInfo.environment),
            records: .standard(instance: nil, environment: ProcessInfo.processInfo.environment),
            beside: self.openers.first)
        self.openers.append(opener)
        return opener
    }

    /// Sends what the command has recorded to the sinks of its instances. What cannot be sent now is sent by the next
    /// command or the service, so that it is told and not an error of this command.
    func forwardEvents() async {
        for instance in self.instances {
            do { try await EventForwarder(instance).forward() } catch {
                for line in ErrorReport(error).lines { Console.complain("event not sent: \(line)") }
            }
        }
    }

    /// Records that the operator was refused something. What cannot be recorded is told: the refusal stands.
    func recordRefusal(_ error: any Error) async {
        for instance in self.instances {
            do { try await instance.recordRefusal(error, of: instance.localOperator()) } catch {
                for line in ErrorReport(error).lines { Console.complain("refusal not recorded: \(line)") }
            }
        }
    }

    func close() async {
        await self.forwardEvents()
        for opener in self.openers.reversed() { await opener.close() }
    }
}

/// A command that works on instances or tokens.
protocol ContextCommand: AsyncParsableCommand {
    func run(in context: CommandContext) async throws
}

extension ContextCommand {
    func run() async throws {
        let context = CommandContext()
        do {
            try await self.run(in: context)
        } catch {
            await context.recordRefusal(error)
            await context.close()
            throw error
        }
        await context.close()
    }
}

import ArgumentParser
import CAService
import CertificateAuthority
import DeviceProfiles
import KeyProvider
import PKCS11KeyProvider

/// A token in the hand, or one of an instance.
struct AnyTokenOptions: ParsableArguments {
    @OptionGroup var token: TokenOptions

    @Option(name: .long, help: "The instance whose token is meant, instead of naming a token.")
    var instance: String?

    @Option(
        name: .long, help: "Which token of the instance, by its name in signet.yaml; the exchange key's when left out.")
    var tokenName: String?

    /// The token's configuration, what opens it, and the instance if there is one.
    ///
    /// - Parameter operation: what the operator has to be allowed at the instance.
    func resolve(
        in context: CommandContext, to operation: CAOperation
    ) async throws -> (CAService.TokenConfiguration, TokenOpener, Instance?) {
        guard let path = self.instance else { return (try self.token.configuration(), try context.opener(), nil) }
        var options = InstanceOptions()
        options.instance = path
        let instance = try context.open(options)
        let name = self.tokenName ?? instance.configuration.exchangeToken
        let configuration = try await instance.tokenConfiguration(
            named: name, for: instance.localOperator(), to: operation)
        return (configuration, instance.tokens, instance)
    }
}

/// `signet token capacity`
struct TokenCapacityCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "capacity", abstract: "Tell what a token holds, what its limits are, and what still fits.",
        discussion:
            "With --instance also who refers to each key pair; `signet token retire` removes old exchange keys.",
        examples: """
            signet token capacity --token-file card.yaml
            signet token capacity --instance /srv/root --json
            """)

    private struct Answer: Encodable {
        struct Key: Encodable {
            let label: String
            let algorithm: String
            let reference: String
            let uses: [String]
            let isRetirable: Bool
        }

        let token: String
        let profile: String
        let stock: TokenStock
        let keys: [Key]?
    }

    @OptionGroup var options: AnyTokenOptions

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    func run(in context: CommandContext) async throws {
        let (configuration, opener, instance) = try await self.options.resolve(in: context, to: .readConfiguration)
        let stock = try await opener.stock(of: configuration)
        let token = try await opener.open(configuration)
        var uses: [KeyUse]?
        if let instance { uses = try await instance.keyUses(on: token, for: instance.localOperator()) }
        guard !self.json else {
            return try Console.json(
                Answer(
                    token: "\(token.identification)", profile: token.profileName, stock: stock,
                    keys: uses?.map { use in
                        .init(
                            label: use.pair.label, algorithm: "\(use.pair.algorithm)",
                            reference: use.pair.locator.reference.uri, uses: use.uses, isRetirable: use.retirable != nil
                        )
                    }))
        }
        Console.say("Token \(token.identification), profile \(token.profileName)")
        self.print(stock)
        if let uses { self.print(uses) }
    }

    private func print(_ stock: TokenStock) {
        let limit: (Int?) -> String = { $0 == nil ? ", limit unknown" : $0 == 0 ? ", no limit" : " of \($0 ?? 0)" }
        let classes = stock.objectsByClass.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        let kinds = classes.isEmpty ? "" : " (\(classes.joined(separator: ", ")))"
        Console.say("Objects: \(stock.objects)\(limit(stock.maximumObjects))\(kinds)")
        let least = stock.usedBytesAreComplete ? "" : "at least "
        let total = stock.isOnDisk ? "the host's disk" : stock.totalBytes.map { "\($0) bytes" } ?? "an unknown number"
        Console.say("Used by the profile's cost model: \(least)\(stock.usedBytes) bytes of \(total)")
        if !stock.isOnDisk { Console.say("Free: \(stock.freeBytes.map { "\($0) bytes" } ?? "unknown")") }
        for directory in stock.directories {
            Console.say("Entries of directory file \(directory.name): \(directory.used)\(limit(directory.maximum))")
        }
        Console.say(
            "Sessions: \(stock.openSessions.map { "\($0)" } ?? "unknown") open, maximum \(stock.maximumSessions)")
        Console.say("PIN: \(stock.pin)")
        Console.say("Still fits, one of:")
        Console.table(
            ["  Count", "What", "Limited by"],
            stock.fits.map { ["  " + TokenCapacityCommand.count($0), $0.what, TokenCapacityCommand.limit($0, stock)] })
        if stock.fits.contains(where: { !$0.unknown.isEmpty }) {
            Console.say(
                """
                What is unknown is taken as the worst case: the token may be full before that, even at the next write. A key \
                pair is made all the same, and removed again when it does not fit. What the vendor's documentation knows \
                belongs into the device profile.
                """)
        }
    }

    /// "at most", where a limit that nobody knows may allow less.
    private static func count(_ fit: TokenStock.Fit) -> String {
        guard let count = fit.count else { return fit.unknown.isEmpty ? "any" : "unknown" }
        return fit.unknown.isEmpty || count == 0 ? "\(count)" : "at most \(count)"
    }

    private static func limit(_ fit: TokenStock.Fit, _ stock: TokenStock) -> String {
        let unknown = fit.unknown.isEmpty || fit.count == 0 ? nil : "unknown: " + fit.unknown.joined(separator: ", ")
        let known = [fit.limit, unknown].compactMap { $0 }
        return known.isEmpty ? stock.isOnDisk ? "the host's disk" : "nothing" : known.joined(separator: "; ")
    }

    private func print(_ uses: [KeyUse]) {
        Console.say("Key pairs:")
        Console.table(
            ["  Label", "Algorithm", "Referred to by", "Reference"],
            uses.map { use in
                [
                    "  " + use.pair.label, "\(use.pair.algorithm)",
                    use.uses.isEmpty ? "NOBODY (of this instance)" : use.uses.joined(separator: "; "),
                    use.pair.locator.reference.uri,
                ]
            })
        let retirable = uses.count { $0.retirable != nil }
        if retirable > 0 { Console.say("\(retirable) can go: signet token retire --instance DIR") }
    }
}

/// `signet token retire`
struct RetireKeys: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire", abstract: "Remove old exchange keys that no request and no archive needs any more.",
        discussion: """
            Lists them and asks first. A key is kept while its certificate is the newest one or valid, and while a request \
            of its time is not answered. Archived keys are encrypted to the recovery agents and do not need it.
            """,
        examples: "signet token retire --instance /srv/root")

    @Option(name: .long, help: "The instance's directory.")
    var instance: String

    @Flag(name: .long, help: "Do not ask.")
    var yes = false

    func run(in context: CommandContext) async throws {
        var options = InstanceOptions()
        options.instance = self.instance
        let instance = try context.open(options)
        let who = try await instance.localOperator()
        let configuration = try instance.tokenConfiguration(
            named: instance.configuration.exchangeToken, for: who, to: .manageCACertificates)
        let token = try await instance.tokens.open(configuration)
        let old = try await instance.keyUses(on: token, for: who).compactMap { use in
            use.retirable.map { (use.pair, $0) }
        }
        guard !old.isEmpty else { return Console.say("No exchange key on \(token.identification) can go.") }
        Console.say("On \(token.identification):")
        Console.table(
            ["  Label", "Algorithm", "Certificate expired", "Reference"],
            old.map { pair, certificate in
                ["  " + pair.label, "\(pair.algorithm)", Output.time(certificate.notAfter), pair.locator.reference.uri]
            })
        guard
            self.yes
                || RetireKeys.confirmed(
                    "Remove \(old.count == 1 ? "this key pair" : "these \(old.count) key pairs") for ever?")
        else {
            Console.say("Nothing was removed.")
            throw ExitCode(3)
        }
        for (pair, _) in old {
            try await instance.retire(pair.locator, on: token, by: who)
            Console.say("Removed \(pair.label) \(pair.locator.reference.uri)")
        }
    }

    /// Only the whole word: this cannot be taken back.
    private static func confirmed(_ question: String) -> Bool {
        Swift.print("\(question) Type yes: ", terminator: "")
        return readLine() == "yes"
    }
}

/// `signet token unblock`
struct UnblockToken: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "unblock", abstract: "Forget that a token refused a PIN, so that it is logged in to again.",
        discussion: """
            A PIN that was refused once is not tried again by any program before this, so that a wrong PIN file does not \
            lock the token. Correct the source of the PIN first: it is tried once now, which clears the token's own mark of a \
            wrong PIN as well. A PIN that the token has locked stays locked, and the last try is never taken.
            """,
        examples: "signet token unblock --instance /srv/root")

    @OptionGroup var options: AnyTokenOptions

    func run(in context: CommandContext) async throws {
        let (configuration, opener, _) = try await self.options.resolve(in: context, to: .configure)
        let (token, refused) = try await opener.unblock(configuration)
        Console.say(
            refused == 0
                ? "No refused PIN was remembered for \(token)."
                : "Forgotten: \(refused) refused PIN\(refused == 1 ? "" : "s") of \(token).")
        Console.say("Logged in: the PIN is right.")
    }
}

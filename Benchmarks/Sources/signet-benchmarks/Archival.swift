import BenchmarkSupport
import CAService
import KeyProvider

/// A CA with an RSA-2048 key, and an agent with a card, both on tokens of one module.
struct ArchivingAuthority {
    let authority: EmbeddedAuthority
    let card: RecoveryAgentCard

    static func make(on token: BenchmarkToken) async throws -> ArchivingAuthority {
        let agent = BenchmarkToken(label: "agent", beside: token)
        try await agent.initialize()
        let authority = try await EmbeddedAuthority.make(on: token, .rsa(modulusBits: 2048))
        let card = try await RecoveryAgentCard(
            enrollingWith: authority, module: BenchmarkToken.module, token: "pkcs11:token=\(agent.label)",
            profile: "softhsm2", pinFile: agent.pinFile)
        return ArchivingAuthority(authority: authority, card: card)
    }

    func close() async {
        await self.card.close()
        await self.authority.close()
    }
}

/// Archival from the request to the stored certificate and key, beside the bare token calls that it needs, and beside
/// RSA-2048 decryptions.
struct Archival {
    let token: BenchmarkToken

    func measure(rounds: Int) async throws {
        let site = try await ArchivingAuthority.make(on: self.token)
        let authority = site.authority
        let request = try await authority.archivalRequest(subject: "CN=alice")
        // The token is opened at its first use; the raw side comes after that.
        try await authority.archive(request, requester: "alice")
        let raw = try RawArchival(module: BenchmarkToken.module, label: self.token.label)
        let results = try await Interleaved.run(
            rounds: rounds,
            [
                .init("2 threads, the bare calls") { try raw.rate(threads: 2, seconds: 0.5) },
                .init("2 threads, C_Decrypt") { try raw.decryptionRate(threads: 2, seconds: 0.5) },
                .init("archival, 16 clients") {
                    try await Measurement.rate(workers: 16, seconds: 1) { client in
                        try await authority.archive(request, requester: "client \(client)")
                    }
                },
            ])
        for result in results { print(Interleaved.line("rsa-2048", result)) }
        print(Interleaved.line("rsa-2048", results[2].beside(results[1], named: "archival / C_Decrypt")))
        await site.close()
    }
}

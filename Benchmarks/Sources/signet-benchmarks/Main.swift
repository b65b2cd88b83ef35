import BenchmarkSupport
import CAService
import Foundation
import KeyProvider

/// Issuance through the whole path (parse, verify, policy, lint, intent, sign, verify, store) beside what it cannot be
/// faster than. See docs/benchmarks.md for method and numbers.
///
/// One part a process: a SoftHSM module serves one token directory.
@main
struct Benchmarks {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard let part = arguments.first else {
            print(Interleaved.header)
            try ChildRun.run(["issuance", "p-256"])
            try ChildRun.run(["issuance", "rsa-2048"])
            try ChildRun.run(["http", "p-256"])
            try ChildRun.run(["http", "rsa-2048"])
            try ChildRun.run(["sync"], environment: ["LD_PRELOAD": ChildRun.besideProgram("libSlowSync.so")])
            try ChildRun.run(["network"])
            try ChildRun.run(["serial"])
            try ChildRun.run(["large"])
            try ChildRun.run(["growth"])
            try ChildRun.run(["crl"])
            try ChildRun.run(["backup"])
            for part in ["archival", "recovery", "import", "memory"] { try ChildRun.run([part]) }
            return
        }
        if part == "memory-once" { return try await KeyMemory.measureOnce(arguments) }
        if part.hasPrefix("crl") { return try await CRLBenchmark.run(arguments) }
        let token = try BenchmarkToken(label: "benchmark")
        defer { try? token.remove() }  // a temporary directory; the system removes what is left
        try await token.initialize()
        let rounds = arguments.count > 2 ? Int(arguments[2]) : nil
        switch part {
        case "sync": try await SlowDisk(token: token).measure(rounds: rounds ?? 10)
        case "network": try await SlowTokens(token: token).measureNetwork(rounds: rounds ?? 5)
        case "large":
            let count = Int(arguments.dropFirst().first ?? "") ?? 1_000_000
            try await LargeDatabase(token: token).measure(count: count, rounds: rounds ?? 7)
        case "backup":
            try await BackupBenchmark(token: token).run(count: Int(arguments.dropFirst().first ?? "") ?? 400_000)
        case "growth": try await Growth(token: token).measure(count: Int(arguments.dropFirst().first ?? "") ?? 100_000)
        case "archival": try await Archival(token: token).measure(rounds: rounds ?? 10)
        case "recovery": try await KeyRecoveries(token: token).measure(rounds: rounds ?? 5)
        case "import": try await KeyImport(token: token).measure(files: Int(arguments.dropFirst().first ?? "") ?? 1_000)
        case "memory": try await KeyMemory(token: token).measure(more: arguments.dropFirst().first.flatMap { Int($0) })
        case "serial": try await SlowTokens(token: token).measureSerial(rounds: rounds ?? 3)
        default:
            guard arguments.count > 1, let algorithm = KeyAlgorithm(arguments[1]) else {
                throw BenchmarkFailure.callFailed
            }
            if part == "http" {
                return try await HTTPIssuance(token: token, algorithm: algorithm).measure(rounds: rounds ?? 10)
            }
            try await Issuance(token: token, algorithm: algorithm).measure(rounds: rounds ?? 10)
        }
    }
}

extension EmbeddedAuthority {
    /// A root CA on the token.
    static func make(
        on token: BenchmarkToken, _ algorithm: KeyAlgorithm, module: String = BenchmarkToken.module,
        profile: String = "softhsm2"
    ) async throws -> EmbeddedAuthority {
        try await EmbeddedAuthority.makeRoot(
            directory: token.directory + "/ca", name: "Benchmark CA", module: module,
            token: "pkcs11:token=\(token.label)", profile: profile, pinFile: token.pinFile, keyAlgorithm: algorithm,
            userPrincipalNameSuffix: "example.test")
    }

    /// Issues from `clients` tasks.
    func rate(clients: Int, seconds: Double, _ request: [UInt8]) async throws -> Rate {
        try await Measurement.rate(workers: clients, seconds: seconds) { client in
            _ = try await self.issue(request, template: "WebServer", requester: "client \(client)")
        }
    }
}

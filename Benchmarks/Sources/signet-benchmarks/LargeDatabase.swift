import BenchmarkSupport
import CAService
import Foundation

/// Issuance and look-ups on a database with many certificates, beside an empty one, and how long such an instance takes
/// from its start to its first certificate.
struct LargeDatabase {
    let token: BenchmarkToken

    private static let seconds = 1.0
    private static let lookups = 2_000

    /// - Parameter count: issued certificates; a tenth of them is revoked, and there is a failed request for every ten.
    func measure(count: Int, rounds: Int) async throws {
        let request = try SampleRequest.make(in: self.token.directory)
        let large = self.token.directory + "/large"
        let pattern = try await self.root(large)
        _ = try await pattern.issue(request, template: "WebServer", requester: "pattern")
        await pattern.close()
        try LargeDatabase.multiply(large, count: count)

        let stopwatch = ContinuousClock.now
        let authority = try await EmbeddedAuthority(directory: large)
        _ = try await authority.issue(request, template: "WebServer", requester: "first")
        print(
            String(
                format: "%d certificates: %.2f s from start to first certificate (at most 2 s)", count,
                LargeDatabase.seconds(since: stopwatch)))
        try await self.measureLookups(authority, count: count)

        let empty = try await self.root(self.token.directory + "/empty")
        let results = try await Interleaved.run(
            rounds: rounds,
            [("an empty database", empty), ("\(count) certificates", authority)].map { name, authority in
                .init("issuance, 64 clients, \(name)") {
                    try await authority.rate(clients: 64, seconds: Self.seconds, request)
                }
            })
        for result in results { print(Interleaved.line("p-256", result)) }
        await authority.close()
        await empty.close()
    }

    private func root(_ directory: String) async throws -> EmbeddedAuthority {
        try await EmbeddedAuthority.makeRoot(
            directory: directory, name: "Benchmark CA", module: BenchmarkToken.module,
            token: "pkcs11:token=\(self.token.label)", profile: "softhsm2", pinFile: self.token.pinFile,
            keyAlgorithm: .p256)
    }

    /// By the common names that the generator gives, which few requests of a failed number have not.
    private func measureLookups(_ authority: EmbeddedAuthority, count: Int) async throws {
        var times: [Double] = []
        var found = 0
        for _ in 0..<Self.lookups {
            let name = "host\(Int.random(in: 1...count)).example.test"
            let start = ContinuousClock.now
            found += try await authority.count(matching: name)
            times.append(LargeDatabase.seconds(since: start) * 1000)
        }
        guard found > Self.lookups / 2 else { throw BenchmarkFailure.callFailed }
        times.sort()
        print(
            String(
                format: "%d certificates: a look-up takes %.2f ms, p99 %.2f ms (at most 5 ms)", count,
                times[times.count / 2], times[times.count * 99 / 100]))
    }

    /// Fills an instance that has issued one certificate. Nobody may have it open.
    static func multiply(_ instance: String, count: Int) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3",
            URL(fileURLWithPath: BenchmarkToken.profiles).deletingLastPathComponent().path
                + "/Benchmarks/Tools/make-database.py",
            instance, "--issued", "\(count)", "--revoked", "\(count / 10)", "--failed", "\(count / 10)",
        ]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw BenchmarkFailure.childFailed }
    }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        let elapsed = start.duration(to: .now).components
        return Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
    }
}

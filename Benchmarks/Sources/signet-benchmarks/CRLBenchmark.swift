import BenchmarkSupport
import CAService
import Foundation
import KeyProvider

/// A CRL of a million entries: time as a ratio to libcrypto's C functions in the same run, memory above idle, and what
/// is left of the rate of issuance meanwhile. Each measurement is a process of its own, because of the memory.
struct CRLBenchmark {
    private static let rounds = 3
    private static let issuingRounds = 7

    let count: Int

    /// `crl [COUNT]`, and the processes that it starts: `crl-once DIRECTORY`, `crl-issuing DIRECTORY WORK`.
    static func run(_ arguments: [String]) async throws {
        switch (arguments[0], arguments.count) {
        case ("crl-once", 2): try await self.publishOnce(arguments[1])
        case ("crl-issuing", 3): try await self.issueMeanwhile(arguments[1], arguments[2])
        default:
            try await CRLBenchmark(count: arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000).run()
        }
    }

    /// The whole measurement.
    func run() async throws {
        let token = try BenchmarkToken(label: "benchmark")
        defer { try? token.remove() }  // a temporary directory; the system removes what is left
        try await token.initialize()
        let directory = token.directory + "/ca"
        let authority = try await EmbeddedAuthority.makeRoot(
            directory: directory, name: "Benchmark CA", module: BenchmarkToken.module,
            token: "pkcs11:token=\(token.label)", profile: "softhsm2", pinFile: token.pinFile, keyAlgorithm: .p256)
        await authority.close()
        try self.seed(directory + "/signet.sqlite")
        let compiled = try self.compile(in: token.directory)
        var ratios: [Double] = []
        var lines: [String] = []
        for _ in 0..<Self.rounds {
            let theirs = try ChildRun.numbers(of: [compiled, "\(self.count)", token.directory + "/theirs.crl"])
            let ours = try ChildRun.numbers(of: [ChildRun.executable, "crl-once", directory])
            ratios.append(ours[0] / theirs[0])
            lines.append(
                String(
                    format:
                        "CRL %d entries: %.2f s, libcrypto %.2f s, ratio %.3f; memory above idle %.0f MB, libcrypto %.0f MB",
                    self.count, ours[0], theirs[0], ours[0] / theirs[0], ours[1] / 1024, theirs[1] / 1024))
        }
        print(lines.joined(separator: "\n"))
        print(
            String(
                format: "CRL ratio to libcrypto, median of %d rounds: %.3f (at most 0.5)", Self.rounds,
                Measurement.median(ratios)))
        let rates = try ChildRun.numbers(of: [ChildRun.executable, "crl-issuing", directory, token.directory])
        print(
            String(
                format:
                    "issuance: %.0f/s alone, %.0f/s while CRLs are made, median of %d rounds' ratios %.2f (at least 0.8)",
                rates[0], rates[1], Self.issuingRounds, rates[2]))
    }

    /// One CRL in a process of its own: seconds, and KiB of memory at the peak above idle.
    static func publishOnce(_ directory: String) async throws {
        let authority = try await EmbeddedAuthority(directory: directory)
        let idle = try ChildRun.peakMemory()
        let clock = ContinuousClock()
        let start = clock.now
        _ = try await authority.makeCRL()
        let seconds = self.seconds(start.duration(to: clock.now))
        print(seconds, try ChildRun.peakMemory() - idle)
        await authority.close()
    }

    /// The rate of issuance from four tasks, alone and while CRLs are made one after another, in turns.
    static func issueMeanwhile(_ directory: String, _ work: String) async throws {
        let authority = try await EmbeddedAuthority(directory: directory)
        let request = try SampleRequest.make(in: work)
        let issue: @Sendable (Int) async throws -> Void = { worker in
            _ = try await authority.issue(request, template: "WebServer", requester: "client \(worker)")
        }
        _ = try await Measurement.rate(workers: 4, seconds: 1, issue)
        var rounds: [(alone: Double, meanwhile: Double)] = []
        for _ in 0..<Self.issuingRounds {
            let alone = try await Measurement.rate(workers: 4, seconds: 4, issue)
            let publishing = Task { while !Task.isCancelled { _ = try await authority.makeCRL() } }
            let meanwhile = try await Measurement.rate(workers: 4, seconds: 4, issue)
            publishing.cancel()
            _ = try await publishing.value
            rounds.append((alone.perWallSecond, meanwhile.perWallSecond))
        }
        print(
            Measurement.median(rounds.map(\.alone)), Measurement.median(rounds.map(\.meanwhile)),
            Measurement.median(rounds.map { $0.meanwhile / $0.alone }))
        await authority.close()
    }

    /// Revocations as they stand in the table, without their certificates: a list reads nothing else.
    private func seed(_ database: String) throws {
        let program = """
            import sqlite3, sys, time
            db = sqlite3.connect(sys.argv[1]); now = int(time.time() * 1000)
            db.execute('''WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
                INSERT INTO revocation SELECT 0, 0, CAST(x'61' || randomblob(13) AS BLOB), 1 + i % 5, ?, NULL, ?, i FROM n''',
                (int(sys.argv[2]), now - 86400000, now + 86400000 * 365))
            db.commit(); print(0)
            """
        _ = try ChildRun.numbers(of: ["/usr/bin/python3", "-c", program, database, "\(self.count)"])
    }

    private func compile(in directory: String) throws -> String {
        let source =
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path + "/crl-libcrypto.c"
        let program = directory + "/crl-libcrypto"
        _ = try ChildRun.numbers(of: ["/usr/bin/env", "cc", "-O2", "-o", program, source, "-lcrypto"])
        return program
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}

import BenchmarkSupport
import CAService
import Foundation

/// A full backup of a large database beside `sqlite3 .backup` and `openssl enc` of the same bytes, its memory beside that of a
/// small database, an incremental backup after a few issuances, and what is left of the rate of issuance meanwhile.
struct BackupBenchmark {
    private static let rounds = 3
    private static let clients = 64

    let token: BenchmarkToken

    /// - Parameter count: issued certificates; 400,000 make a database of 1 GB.
    func run(count: Int) async throws {
        let request = try SampleRequest.make(in: self.token.directory)
        let small = try await self.root("small", request)
        await small.close()
        let large = try await self.root("large", request)
        await large.close()
        try LargeDatabase.multiply(self.path("large"), count: count)
        let megabytes = try Self.bytes(self.path("large/signet.sqlite")) / 1_000_000
        let password = self.path("backup.password")
        try Data("benchmark password".utf8).write(to: URL(fileURLWithPath: password))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: password)
        try self.compare(megabytes: megabytes)

        let idle = try self.backUp("small", to: "small-backup")
        let full = try self.backUp("large", to: "large-backup")
        print(
            String(
                format: "backup: memory at the peak %.0f MB, of an empty database %.0f MB", full.megabytes,
                idle.megabytes))
        let authority = try await EmbeddedAuthority(directory: self.path("large"))
        for number in 0..<100 {
            _ = try await authority.issue(request, template: "WebServer", requester: "increment \(number)")
        }
        let increment = try self.backUp("large", to: "increment", ["--incremental"])
        print(
            String(
                format: "incremental backup of 100 issuances: %.2f s, %.2f MB", increment.seconds,
                try Self.bytes(self.path("increment/Database/edb00001.log")) / 1_000_000))
        try await self.issueMeanwhile(authority, request)
        await authority.close()
    }

    private func path(_ name: String) -> String { self.token.directory + "/" + name }

    private func root(_ name: String, _ request: [UInt8]) async throws -> EmbeddedAuthority {
        let authority = try await EmbeddedAuthority.makeRoot(
            directory: self.path(name), name: "Benchmark CA", module: BenchmarkToken.module,
            token: "pkcs11:token=\(self.token.label)", profile: "softhsm2", pinFile: self.token.pinFile,
            keyAlgorithm: .p256)
        _ = try await authority.issue(request, template: "WebServer", requester: "pattern")
        return authority
    }

    /// Rounds in turns: what the tools take together, and what the backup takes, which reads everything back as well.
    private func compare(megabytes: Double) throws {
        var ratios: [Double] = []
        for _ in 0..<Self.rounds {
            for name in ["copy.sqlite", "copy.enc"] { try? FileManager.default.removeItem(atPath: self.path(name)) }
            let theirs = try Self.run([
                "sh", "-c",
                """
                set -e; sqlite3 '\(self.path("large/signet.sqlite"))' ".backup '\(self.path("copy.sqlite"))'"
                openssl enc -aes-256-ctr -pbkdf2 -pass 'file:\(self.path("backup.password"))' \
                    -in '\(self.path("copy.sqlite"))' -out '\(self.path("copy.enc"))'
                sync '\(self.path("copy.enc"))'
                """,
            ])
            let ours = try self.backUp("large", to: "compared", ["--force", "--keep-log"])
            ratios.append(theirs.seconds / ours.seconds)
            print(
                String(
                    format: "backup of %.0f MB: %.1f s, %.0f MB/s; sqlite3 .backup and openssl enc: %.1f s, ratio %.2f",
                    megabytes, ours.seconds, megabytes / ours.seconds, theirs.seconds, theirs.seconds / ours.seconds))
        }
        print(
            String(
                format: "backup ratio to sqlite3 and openssl, median of %d rounds: %.2f (at least 0.5)", Self.rounds,
                Measurement.median(ratios)))
    }

    private func issueMeanwhile(_ authority: EmbeddedAuthority, _ request: [UInt8]) async throws {
        _ = try await authority.rate(clients: Self.clients, seconds: 1, request)
        let alone = try await authority.rate(clients: Self.clients, seconds: 6, request)
        let backingUp = Task.detached {
            while !Task.isCancelled { _ = try self.backUp("large", to: "meanwhile", ["--force"]) }
        }
        let meanwhile = try await authority.rate(clients: Self.clients, seconds: 12, request)
        backingUp.cancel()
        _ = try await backingUp.value
        print(
            String(
                format: "issuance: %.0f/s alone, %.0f/s while backups are made, ratio %.2f (at least 0.5)",
                alone.perWallSecond, meanwhile.perWallSecond, meanwhile.perWallSecond / alone.perWallSecond))
    }

    @discardableResult
    private func backUp(_ instance: String, to name: String, _ options: [String] = []) throws -> Usage {
        try Self.run(
            [
                ChildRun.besideProgram("signet"), "backup", "create", "--instance", self.path(instance), "--password",
                "file:" + self.path("backup.password"), self.path(name),
            ] + options)
    }

    /// What a program took.
    private struct Usage {
        var seconds: Double
        /// At the peak.
        var megabytes: Double
    }

    private static func run(_ command: [String]) throws -> Usage {
        let program = """
            import resource, subprocess, sys, time
            start = time.monotonic()
            subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
            print(time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
            """
        let numbers = try ChildRun.numbers(of: ["/usr/bin/env", "python3", "-c", program] + command)
        guard numbers.count == 2 else { throw BenchmarkFailure.commandFailed(command.joined(separator: " ")) }
        return Usage(seconds: numbers[0], megabytes: numbers[1] / 1000)
    }

    private static func bytes(_ path: String) throws -> Double {
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber
        return size?.doubleValue ?? 0
    }
}

import BenchmarkSupport
import CAService
import Foundation
import KeyProvider

/// The peak of resident memory of a process that recovers, and of one that imports, few and many keys. Each is a process
/// of its own.
struct KeyMemory {
    let token: BenchmarkToken

    /// - Parameter more: a third number of keys.
    func measure(more: Int?) async throws {
        let counts = Set([100, 2_000] + (more.map { [$0] } ?? [])).sorted()
        let site = try await ArchivingAuthority.make(on: self.token)
        let many = counts.max() ?? 0
        let files = self.token.directory + "/files"
        try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: false)
        try await KeyImport(token: self.token).makeFiles(many, in: files, site.authority)
        for count in counts {
            let some = "\(files)-\(count)"
            try FileManager.default.createDirectory(atPath: some, withIntermediateDirectories: false)
            for number in 0..<count {
                try FileManager.default.copyItem(atPath: "\(files)/\(number).p12", toPath: "\(some)/\(number).p12")
            }
        }
        await site.close()
        // The second import finds the keys of the first one there.
        for count in counts { try self.report("import", count, ["\(files)-\(count)"]) }
        try await self.writeBlobs(many)
        for count in counts { try self.report("recovery", count, ["\(count)"]) }
    }

    private func report(_ what: String, _ count: Int, _ arguments: [String]) throws {
        let peak = try ChildRun.numbers(
            of: [ChildRun.executable, "memory-once", what, self.token.directory] + arguments)
        print(String(format: "%@ of %d keys: %.1f MB resident at the peak", what, count, (peak.first ?? 0) / 1024))
    }

    /// The recovery blobs of the imported keys, a file each.
    private func writeBlobs(_ count: Int) async throws {
        let authority = try await EmbeddedAuthority(directory: self.token.directory + "/ca")
        let blobs = try await authority.recoveryBlobs(ofKeysMatching: "www.example.test", limit: count)
        guard blobs.count == count else { throw BenchmarkFailure.callFailed }
        for (number, blob) in blobs.enumerated() {
            try Data(blob).write(to: URL(fileURLWithPath: "\(self.token.directory)/\(number).rec"))
        }
        await authority.close()
    }

    /// `memory-once import DIRECTORY FILES` or `memory-once recovery DIRECTORY COUNT`: KiB at the peak.
    static func measureOnce(_ arguments: [String]) async throws {
        guard arguments.count == 4 else { throw BenchmarkFailure.callFailed }
        let directory = arguments[2]
        let authority = try await EmbeddedAuthority(directory: directory + "/ca")
        if arguments[1] == "import" {
            _ = try await authority.importKeys(arguments[3], password: KeyImport.password)
        } else {
            let card = try await RecoveryAgentCard(
                of: authority, module: BenchmarkToken.module, token: "pkcs11:token=agent", profile: "softhsm2",
                pinFile: directory + "/pin")
            let files = (0..<(Int(arguments[3]) ?? 0)).map { "\(directory)/\($0).rec" }
            guard try await authority.recover(files: files, with: card) == files.count else {
                throw BenchmarkFailure.callFailed
            }
            await card.close()
        }
        print(try ChildRun.peakMemory())
        await authority.close()
    }
}

import BenchmarkSupport
import CAService
import Foundation
import KeyProvider

/// Import of a directory of PKCS #12 files beside the sum of what it cannot do without: opening each file, and the bare
/// token calls of archiving a key.
struct KeyImport {
    let token: BenchmarkToken
    static let password = "benchmark"

    func measure(files count: Int) async throws {
        let site = try await ArchivingAuthority.make(on: self.token)
        let authority = site.authority
        let directory = self.token.directory + "/files"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        try await self.makeFiles(count, in: directory, authority)
        let opening = try self.openAll(directory)
        let archiving = try RawArchival(module: BenchmarkToken.module, label: self.token.label)
            .rate(threads: 1, seconds: 2, signing: false)
        let stopwatch = Stopwatch()
        let imported = stopwatch.rate(of: try await authority.importKeys(directory, password: Self.password))
        guard imported.operations == count else { throw BenchmarkFailure.callFailed }
        self.report(opening, archiving, imported)
        await site.close()
    }

    /// PKCS #12 files `NUMBER.p12`, each with another certificate of the authority's.
    func makeFiles(_ count: Int, in directory: String, _ authority: EmbeddedAuthority) async throws {
        let key = self.token.directory + "/user"
        try self.openSSL(
            "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "\(key).key", "-outform", "DER", "-out",
            "\(key).req", "-subj", "/CN=www.example.test", "-addext", "subjectAltName=DNS:www.example.test")
        let request = Array(try Data(contentsOf: URL(fileURLWithPath: "\(key).req")))
        for number in 0..<count {
            let certificate = try await authority.issue(request, template: "WebServer", requester: "user \(number)")
            try Data(certificate).write(to: URL(fileURLWithPath: "\(key).crt"))
            try self.openSSL("x509", "-inform", "DER", "-in", "\(key).crt", "-out", "\(key).pem")
            try self.openSSL(
                "pkcs12", "-export", "-in", "\(key).pem", "-inkey", "\(key).key", "-out", "\(directory)/\(number).p12",
                "-passout", "pass:\(Self.password)")
        }
    }

    private func report(_ opening: Rate, _ archiving: Rate, _ imported: Rate) {
        let bare = 1 / opening.perWallSecond + 1 / archiving.perWallSecond
        let bareCPU = 1 / opening.perCPUSecond + 1 / archiving.perCPUSecond
        print(
            String(
                format: "import of %d PKCS #12 files: %.0f/s, opening alone %.0f/s, bare token calls %.0f/s; "
                    + "%.3f of both (CPU %.3f)", imported.operations, imported.perWallSecond, opening.perWallSecond,
                archiving.perWallSecond, imported.perWallSecond * bare, imported.perCPUSecond * bareCPU))
    }

    /// By libcrypto's own function.
    private func openAll(_ directory: String) throws -> Rate {
        let files = try FileManager.default.contentsOfDirectory(atPath: directory)
            .map { Array(try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\($0)"))) }
        let stopwatch = Stopwatch()
        for file in files where !RawPKCS12.opens(file, password: Self.password) { throw BenchmarkFailure.callFailed }
        return stopwatch.rate(of: files.count)
    }

    private func openSSL(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw BenchmarkFailure.requestNotMade }
    }
}

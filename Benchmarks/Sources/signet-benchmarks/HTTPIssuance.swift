import BenchmarkSupport
import CAService
import Foundation
import KeyProvider

/// Issuance over HTTP: `signetd` in a process of its own, clients with a connection each that stays open, beside the
/// token's two-thread `C_Sign` rate in this process. Plain HTTP on the loopback, with Basic authentication.
struct HTTPIssuance {
    let token: BenchmarkToken
    let algorithm: KeyAlgorithm

    private static let seconds = 1.0
    private static let clients = 64

    func measure(rounds: Int) async throws {
        let instance = self.token.directory + "/ca"
        let authority = try await EmbeddedAuthority.make(on: self.token, self.algorithm)
        // The raw side needs the token logged in; its user stays so while the authority is open.
        let request = try SampleRequest.make(in: self.token.directory, self.algorithm)
        _ = try await authority.issue(request, template: "WebServer", requester: "first")
        let port = try FreePorts.pair()
        try HTTPIssuance.setPorts(port, in: instance + "/signet.yaml")
        try self.addUser(to: instance)
        let service = try RunningService(instance: instance, port: port)
        defer { service.stop() }
        let signer = try RawSigner(module: BenchmarkToken.module, label: self.token.label, algorithm: self.algorithm)
        let message = HTTPIssuance.message(request)
        let results = try await Interleaved.run(
            rounds: rounds,
            [
                .init("2 threads, C_Sign") { try signer.rate(threads: 2, seconds: Self.seconds) },
                .init("issuance over HTTP, \(Self.clients) clients") {
                    try service.rate(clients: Self.clients, seconds: Self.seconds, message)
                },
            ])
        for result in results { print(Interleaved.line("\(self.algorithm)", result)) }
        print(String(format: "\(self.algorithm)  of the CPU time the clients take %.3f", service.clientShare))
        await authority.close()
    }

    private static let user = "benchmark"
    private static let password = "a benchmark's password"

    private func addUser(to instance: String) throws {
        let file = self.token.directory + "/password"
        try Data(HTTPIssuance.password.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: ChildRun.besideProgram("signet"))
        process.arguments = [
            "user", "add", "--instance", instance, "--name", HTTPIssuance.user, "--password", "file:\(file)",
        ]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw BenchmarkFailure.commandFailed("signet user add") }
    }

    /// The ports that every embedded instance has become free ones.
    private static func setPorts(_ port: Int, in file: String) throws {
        var text = try String(contentsOfFile: file, encoding: .utf8)
        for (old, new) in [
            ("port: 8443", "port: \(port)"), ("publication-port: 8080", "publication-port: \(port + 1)"),
        ] {
            guard text.contains(old) else { throw BenchmarkFailure.commandFailed("no \"\(old)\" in \(file)") }
            text = text.replacingOccurrences(of: old, with: new)
        }
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    }

    /// The form that the enrolment page sends (docs/requests.md), the same each time.
    private static func message(_ request: [UInt8]) -> [UInt8] {
        let encoded = Data(request).base64EncodedString().addingPercentEncoding(withAllowedCharacters: .alphanumerics)
        let body = "Mode=newreq&CertRequest=\(encoded ?? "")&CertAttrib=CertificateTemplate%3AWebServer"
        let credentials = Data("\(self.user):\(self.password)".utf8).base64EncodedString()
        let head = [
            "POST /certsrv/certfnsh.asp HTTP/1.1", "Host: 127.0.0.1", "Authorization: Basic \(credentials)",
            "Content-Type: application/x-www-form-urlencoded", "Content-Length: \(body.utf8.count)",
        ]
        return Array((head.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
    }
}

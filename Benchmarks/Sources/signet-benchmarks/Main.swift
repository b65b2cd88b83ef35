import CAService
import Foundation
import KeyProvider
import PKCS11

/// Issuance through the whole path (parse, verify, policy, intent, sign, verify, store) as a ratio to raw `C_Sign` on
/// the same token in the same run. See docs/benchmarks.md for method and numbers.
@main
struct Benchmarks {
    private static let rounds = 5
    private static let secondsPerMeasurement = 2.0
    private static let workerCounts = [1, 4, 16]

    static func main() async throws {
        print("key       tasks  C_Sign/s  issued/s  ratio  issued/CPU-s   (medians of \(rounds) interleaved rounds)")
        // One algorithm a process: a SoftHSM module serves one token directory.
        if let name = CommandLine.arguments.dropFirst().first, let algorithm = KeyAlgorithm(name) {
            try await Benchmarks.measure(algorithm)
        } else {
            for algorithm in ["p-256", "rsa-2048"] { try Benchmarks.runChild(algorithm) }
        }
    }

    private static func runChild(_ algorithm: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [algorithm]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").dropFirst()
        print(lines.joined(separator: "\n"))
    }

    private static func measure(_ algorithm: KeyAlgorithm) async throws {
        let token = try BenchmarkToken(label: "benchmark")
        defer { try? token.remove() }  // a temporary directory; the system removes what is left
        let module = try Module(path: BenchmarkToken.module)
        let raw = try await token.open(module, sessions: workerCounts.max() ?? 1)
        let authority = try await EmbeddedAuthority.makeRoot(
            directory: token.directory + "/ca", name: "Benchmark CA", module: BenchmarkToken.module,
            token: "pkcs11:token=\(token.label)", profile: "softhsm2", pinFile: token.pinFile, keyAlgorithm: algorithm)
        let request = try Benchmarks.makeRequest(in: token.directory)
        let signer = try await RawSigner(token: raw, algorithm: algorithm)
        for workers in workerCounts {
            var signed: [Double] = []
            var issued: [Double] = []
            var perCPU: [Double] = []
            for _ in 0..<rounds {
                let batch = signer.batch
                signed.append(
                    try await Measurement.rate(workers: workers, seconds: secondsPerMeasurement) { _ in
                        try await signer.signBatch()
                    }.perWallSecond * Double(batch))
                let rate = try await Measurement.rate(workers: workers, seconds: secondsPerMeasurement) { worker in
                    _ = try await authority.issue(request, template: "WebServer", requester: "client \(worker)")
                }
                issued.append(rate.perWallSecond)
                perCPU.append(rate.perCPUSecond)
            }
            Benchmarks.report(algorithm, workers, signed, issued, perCPU)
        }
        guard let key = try await authority.signingKey else { throw BenchmarkFailure.noKey }
        try await ProviderSigning(token: token, signer: signer, key: key, algorithm: algorithm).measure(rounds: rounds)
        await authority.close()
    }

    private static func report(
        _ algorithm: KeyAlgorithm, _ workers: Int, _ signed: [Double], _ issued: [Double], _ perCPU: [Double]
    ) {
        let ratios = zip(issued, signed).map { $0 / $1 }
        let columns = [
            "\(algorithm)".padding(toLength: 8, withPad: " ", startingAt: 0),
            String(format: "%6d", workers), String(format: "%9.0f", Measurement.median(signed)),
            String(format: "%9.0f", Measurement.median(issued)), String(format: "%6.3f", Measurement.median(ratios)),
            String(format: "%13.0f", Measurement.median(perCPU)),
        ]
        print(columns.joined(separator: " "))
    }

    /// A P-256 PKCS #10 with a DNS name, made by openssl.
    private static func makeRequest(in directory: String) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            directory + "/www.key", "-out", directory + "/www.req", "-subj", "/CN=www.example.test", "-addext",
            "subjectAltName=DNS:www.example.test",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard let data = FileManager.default.contents(atPath: directory + "/www.req") else {
            throw BenchmarkFailure.requestNotMade
        }
        return Array(data)
    }
}

/// `C_SignInit` and `C_Sign` with the CA's own key, many in one session, so that nothing but the token is measured.
struct RawSigner: Sendable {
    let batch = 50
    private let token: Token
    private let key: ObjectHandle
    private let mechanism: Mechanism
    private let input: [UInt8]

    init(token: Token, algorithm: KeyAlgorithm) async throws {
        var template = AttributeTemplate()
        template[.objectClass] = .privateKey
        let wanted = template
        let found = try await token.withSession { session in try session.findObjects(wanted) }
        guard let key = found.first else { throw BenchmarkFailure.noKey }
        self.token = token
        self.key = key
        let digest = [UInt8](repeating: 0x5A, count: 32)
        // DigestInfo of SHA-256 (RFC 8017, section 9.2, note 1).
        let digestInfo: [UInt8] = [
            0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
            0x20,
        ]
        self.mechanism = Mechanism(algorithm.isRSA ? .rsaPKCS : .ecdsa)
        self.input = algorithm.isRSA ? digestInfo + digest : digest
    }

    func signBatch() async throws {
        let (batch, key, mechanism, input) = (self.batch, self.key, self.mechanism, self.input)
        try await self.token.withSession { session in
            for _ in 0..<batch { _ = try session.sign(input, with: key, mechanism) }
        }
    }
}

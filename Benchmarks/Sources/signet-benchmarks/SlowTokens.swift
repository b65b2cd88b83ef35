import BenchmarkSupport
import CAService
import Foundation
import KeyProvider

/// Issuance on simulated tokens that take their time: the token is to be the limit, and only those who need it wait.
struct SlowTokens {
    let token: BenchmarkToken

    /// A network HSM: 5 ms a signature, 16 sessions at once.
    func measureNetwork(rounds: Int) async throws {
        let module = try self.simulate("network-hsm", milliseconds: 5, sessions: 64)
        let authority = try await EmbeddedAuthority.make(
            on: self.token, .p256, module: module.path, profile: "network-hsm")
        let request = try SampleRequest.make(in: self.token.directory)
        // The token is opened at its first use; the raw side comes after that.
        _ = try await authority.rate(clients: 1, seconds: 0.1, request)
        let signer = try RawSigner(module: module.path, label: self.token.label, algorithm: .p256)
        // The CA takes sixteen of the sessions, because the profile says that signatures take long; so does the raw side.
        let results = try await Interleaved.run(
            rounds: rounds,
            [
                .init("5 ms, 16 sessions, C_Sign") { try signer.rate(threads: 16, seconds: 1) },
                .init("5 ms, 16 sessions, issuance, 64 clients") {
                    try await authority.rate(clients: 64, seconds: 1, request)
                },
            ])
        for result in results { print(Interleaved.line("p-256", result)) }
        await authority.close()
    }

    /// A token that takes 70 ms for a signature, one at a time, and requests beside it that need no signature.
    func measureSerial(rounds: Int) async throws {
        let module = try self.simulate("serial-token", milliseconds: 70, sessions: 2)
        let authority = try await EmbeddedAuthority.make(
            on: self.token, .p256, module: module.path, profile: "serial-token")
        let request = try SampleRequest.make(in: self.token.directory)
        var rates: [Double] = []
        var times: [Double] = []
        for _ in 0..<rounds {
            async let issued = authority.rate(clients: 4, seconds: 3, request)
            let end = ContinuousClock.now + .seconds(2.5)
            while ContinuousClock.now < end {
                let start = ContinuousClock.now
                // Denied and stored: there is no such template.
                _ = try? await authority.issue(request, template: "None", requester: "another")
                let time = start.duration(to: .now).components
                times.append(Double(time.seconds) * 1000 + Double(time.attoseconds) / 1e15)
                try await Task.sleep(for: .milliseconds(5))
            }
            rates.append(try await issued.perWallSecond)
        }
        times.sort()
        let rate = Measurement.median(rates)
        print(
            String(
                format: "p-256  70 ms, one at a time: %.1f/s, %.3f of 14.2/s; other requests p99 %.1f ms (%d)", rate,
                rate / 14.2, times[times.count * 99 / 100], times.count))
        await authority.close()
    }

    /// The token behind the simulator, with a device profile of that name.
    private func simulate(_ name: String, milliseconds: Int, sessions: Int) throws -> SimulatedModule {
        let directory = self.token.directory + "/profiles"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        var text = try String(contentsOfFile: BenchmarkToken.profiles + "/softhsm2.yaml", encoding: .utf8)
        for (old, new) in [
            ("name: softhsm2", "name: \(name)"), ("sign_p256: 0.3", "sign_p256: \(milliseconds)"),
            ("sign_rsa2048: 2.6", "sign_rsa2048: \(milliseconds)"), ("max: {value: 0,", "max: {value: \(sessions),"),
        ] {
            guard text.contains(old) else { throw BenchmarkFailure.noModule(old) }
            text = text.replacingOccurrences(of: old, with: new)
        }
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name).yaml"))
        setenv("SIGNET_PROFILES", directory, 1)
        return try SimulatedModule(
            for: self.token, rule: ["profile: \(name)", "latency: true"], profiles: directory)
    }
}

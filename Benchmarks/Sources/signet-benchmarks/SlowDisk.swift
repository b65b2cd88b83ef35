import BenchmarkSupport
import CAService
import Foundation

/// Issuance for 64 clients with 4 ms added to every sync, beside the same without: what grouping the commits is worth.
/// Runs with `libSlowSync.so` preloaded.
struct SlowDisk {
    let token: BenchmarkToken

    private static let seconds = 0.7

    func measure(rounds: Int) async throws {
        guard let symbol = dlsym(nil, "slow_sync_microseconds") else {
            throw BenchmarkFailure.noModule("libSlowSync.so")
        }
        let delay = Delay(pointer: symbol.assumingMemoryBound(to: UInt32.self))
        let authority = try await EmbeddedAuthority.make(on: self.token, .p256)
        let request = try SampleRequest.make(in: self.token.directory)
        let results = try await Interleaved.run(
            rounds: rounds,
            [0, 4].map { milliseconds in
                .init("issuance, 64 clients, sync + \(milliseconds) ms") {
                    delay.pointer.pointee = UInt32(milliseconds * 1000)
                    defer { delay.pointer.pointee = 0 }
                    return try await authority.rate(clients: 64, seconds: Self.seconds, request)
                }
            })
        for result in results { print(Interleaved.line("p-256", result)) }
        await authority.close()
    }

    /// `@unchecked Sendable`: a machine word that the preloaded library reads as it is.
    private struct Delay: @unchecked Sendable {
        let pointer: UnsafeMutablePointer<UInt32>
    }
}

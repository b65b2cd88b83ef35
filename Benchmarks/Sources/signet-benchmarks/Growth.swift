import BenchmarkSupport
import CAService
import Foundation

/// How much memory the process takes after so many issuances, and what each costs: a service must not grow.
struct Growth {
    let token: BenchmarkToken

    private static let clients = 64
    private static let first = 10_000

    /// - Parameter count: issuances in all.
    func measure(count: Int) async throws {
        let authority = try await EmbeddedAuthority.make(on: self.token, .p256)
        let request = try SampleRequest.make(in: self.token.directory)
        _ = try await authority.rate(clients: 1, seconds: 0.1, request)
        var done = 0
        var base: Int?
        while done < count {
            // 10,000 and each power of ten and half of one after it.
            let next = min(count, done < Growth.first ? Growth.first : done + max(Growth.first, done))
            let rate = try await authority.issue(next - done, clients: Growth.clients, request)
            done = next
            let resident = try Growth.residentBytes()
            base = base ?? resident
            print(
                String(
                    format: "p-256  %8d issued: %6.1f MB resident, %.3f of that after %d; %5.0f/s, %5.0f per CPU-s",
                    done, Double(resident) / 1e6, Double(resident) / Double(base ?? resident), min(count, Growth.first),
                    rate.perWallSecond, rate.perCPUSecond))
        }
        await authority.close()
    }

    /// VmRSS of proc(5).
    private static func residentBytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { throw BenchmarkFailure.callFailed }
        return kilobytes * 1024
    }
}

extension EmbeddedAuthority {
    /// Issues that many certificates from `clients` tasks.
    func issue(_ count: Int, clients: Int, _ request: [UInt8]) async throws -> Rate {
        let stopwatch = Stopwatch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<clients {
                group.addTask {
                    for _ in 0..<(count / clients + (client < count % clients ? 1 : 0)) {
                        _ = try await self.issue(request, template: "WebServer", requester: "client \(client)")
                    }
                }
            }
            try await group.waitForAll()
        }
        return stopwatch.rate(of: count)
    }
}

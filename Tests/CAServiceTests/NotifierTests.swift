import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import TestSupport
import Testing

@testable import CAService

@Suite("Notices of what expires")
struct NotifierTests {
    /// A root CA on SoftHSM whose clock stands still, with a hook that keeps what it is given.
    private struct Place {
        let root: RootPlace
        var directory: TemporaryDirectory { self.root.directory }
        var clock: FixedClock { self.root.clock }
        var instance: Instance { self.root.instance }

        init(_ token: SoftwareToken, hook: String) async throws {
            self.root = try await RootPlace(
                token,
                // Two steps, so that each can be seen.
                more: "notifications: {program: \"DIRECTORY/hook.sh\", steps-days: [30, 7], deadline-seconds: 120}")
            try self.root.script("hook.sh", hook)
        }

        /// How many notices were given, and those that the hook was handed, by kind and name.
        func notify() async throws -> (count: Int, notices: [String]) {
            let notifier = try #require(Notifier(instance: self.instance))
            let before = try self.calls().count
            let count = try await notifier.notify()
            return (count, try self.calls().dropFirst(before).flatMap { $0 })
        }

        /// What each run of the hook was given.
        func calls() throws -> [[String]] {
            let names = try FileManager.default.contentsOfDirectory(atPath: self.directory.path)
                .filter { $0.hasPrefix("call-") }.sorted()
            return try names.map { name in
                let message = try JSONSerialization.jsonObject(with: Data(self.directory.read(name)))
                let notices = (message as? [String: Any])?["notices"] as? [[String: Any]] ?? []
                return notices.map { "\($0["kind"] ?? "") \($0["name"] ?? "")" }
            }
        }
    }

    private static let keep = """
        d=$(dirname "$0"); n=$(ls "$d" | grep -c '^call-'); cat >"$d/.new"; mv "$d/.new" "$d/call-$((1000 + n))"
        """

    @Test("Each thing is told once a step, what the hook refuses is told again, and a CRL that is missing is told")
    func steps() async throws {
        try await withSoftHSM { token in
            let place = try await Place(token, hook: Self.keep)
            let authority = try await place.instance.authority()
            _ = try await authority.publishDueCRLs { _, error in Issue.record(error) }
            #expect(try await place.notify() == (0, []))
            let certificate = try await place.root.issue(by: authority)
            #expect(try await place.notify() == (0, []))

            let seconds = { (days: Double) in
                Int64(certificate.notAfter.timeIntervalSince1970 - days * 86_400) - place.clock.now
            }
            let isLeaf = { (notice: String) in notice.hasPrefix("certificate ") && notice.contains("www.example.test") }
            for days in [29.0, 6.0] {
                place.clock.advance(by: seconds(days))
                #expect(try await place.notify().notices.filter(isLeaf).count == 1)
                // The same step once more tells nothing.
                #expect(try await place.notify() == (0, []))
            }
            // The CRL has long expired, which is told as well.
            #expect(try place.calls().joined().contains { $0.hasPrefix("crl ") })
            await place.instance.tokens.close()
        }
    }

    @Test("A notice that the hook did not take is given again")
    func refused() async throws {
        try await withSoftHSM { token in
            let place = try await Place(
                token, hook: "d=$(dirname \"$0\"); test -e \"$d/ready\" || { echo not yet >&2; exit 1; }\n" + Self.keep)
            // No CRL was ever published.
            let notifier = try #require(Notifier(instance: place.instance))
            for _ in 0..<2 {
                let error = await #expect(throws: ServiceError.self) { try await notifier.notify() }
                #expect(error?.headline.contains("it ended with code 1: not yet") == true)
            }
            try place.directory.write("ready", [])
            let given = try await place.notify()
            #expect(given.count > 0 && given.count == given.notices.count)
            #expect(try await place.notify() == (0, []))
            await place.instance.tokens.close()
        }
    }
}

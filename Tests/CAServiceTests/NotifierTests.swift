import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKIMessages
import TestSupport
import Testing

@testable import CAService

@Suite("Notices of what expires")
struct NotifierTests {
    /// A root CA on SoftHSM whose clock stands still, with a hook that keeps what it is given.
    private struct Place {
        let directory: TemporaryDirectory
        let token: SoftwareToken
        let clock: FixedClock
        let instance: Instance

        init(_ token: SoftwareToken, hook: String) async throws {
            self.token = token
            self.directory = token.directory
            self.clock = FixedClock(seconds: Int64(Date().timeIntervalSince1970))
            let clock = self.clock
            let surroundings = Surroundings(
                now: { Date(timeIntervalSince1970: TimeInterval(clock.now)) }, randomBytes: LibCrypto.randomBytes)
            let pin = try self.directory.write("pin", Array(token.userPIN.utf8))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: pin)
            let configuration = InstanceConfiguration(
                name: "Notifying CA", type: .root,
                token: TokenConfiguration(
                    module: token.modulePath, token: "pkcs11:token=signet%20test", profile: "softhsm2",
                    pin: .file(pin)),
                web: .init(host: "127.0.0.1", port: 1, publicationPort: 2, publicationURL: "http://localhost:2"),
                userPrincipalNameSuffix: "example.test")
            let path = self.directory.path("ca")
            _ = try await InstanceCreation(
                plan: .init(
                    directory: path, configuration: configuration, subject: "CN=Notifying CA", keyAlgorithm: .p256),
                secrets: .system, surroundings: surroundings
            ).makeRoot(validityYears: 20)
            // Two steps, so that each can be seen.
            let script = try self.directory.write("hook.sh", Array("#!/bin/sh\n\(hook)\n".utf8))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
            var text = try String(contentsOfFile: path + "/signet.yaml", encoding: .utf8)
            text += "\nnotifications: {program: \"\(script)\", steps-days: [30, 7], deadline-seconds: 120}\n"
            try text.write(toFile: path + "/signet.yaml", atomically: true, encoding: .utf8)
            self.instance = try Instance.open(path, secrets: .system, surroundings: surroundings)
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
            let request = try await SubscriberRequest(
                RequestContent(
                    subject: "CN=www.example.test", alternativeNames: ["dns:www.example.test"], template: "WebServer"),
                key: SoftwareRequesterKey.generate(.p256)
            ).make()
            let result = try await authority.submit(
                EnrollmentSubmission(requestBytes: request.der, caller: authority.localOperator()))
            let certificate = try CertificateFields(derEncoded: #require(result.certificateDER))
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

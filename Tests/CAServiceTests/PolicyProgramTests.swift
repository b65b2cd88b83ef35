import CertificateAuthority
import Foundation
import TestSupport
import Testing

@testable import CAService

@Suite struct PolicyProgramTests {
    private static let example = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("docs/policy-example.py").path

    private static func question(
        name: String = "dns:www.example.test", bits: Int = 3072, groups: [String] = []
    ) throws -> [UInt8] {
        let object: [String: Any] = [
            "template": ["name": "WebServer"], "groups": groups, "publicKey": ["algorithm": "rsa", "bits": bits],
            "certificate": ["subjectAlternativeNames": [name], "notBefore": "2026-01-01T00:00:00Z"],
        ]
        return Array(try JSONSerialization.data(withJSONObject: object))
    }

    private static func program(
        _ script: String, in directory: TemporaryDirectory, seconds: Int = 120
    ) throws -> PolicyProgramProcess {
        let path = try directory.write("policy.sh", Array("\(script)\n".utf8))
        // Not run by its own name: whatever another test starts in this moment may still hold the file open for
        // writing, and then it cannot be executed.
        return PolicyProgramProcess(path: "/bin/sh", arguments: [path], deadlineSeconds: seconds)
    }

    @Test("The example of the documentation denies, lets wait, restricts and issues")
    func example() async throws {
        let program = PolicyProgramProcess(path: Self.example, arguments: [], deadlineSeconds: 120)
        func answer(_ question: [UInt8]) async throws -> NSDictionary? {
            try JSONSerialization.jsonObject(with: Data(await program.answer(to: question))) as? NSDictionary
        }
        #expect(
            try await answer(Self.question(name: "dns:www.evil.test"))
                == ["verdict": "deny", "text": "Not our domain: dns:www.evil.test"])
        #expect(try await answer(Self.question(bits: 2048)) == ["verdict": "pend"])
        #expect(
            try await answer(Self.question(groups: ["contractors"]))
                == ["verdict": "issue", "restrict": ["notAfter": "2026-04-01T00:00:00Z"]])
        #expect(try await answer(Self.question()) == ["verdict": "issue"])
    }

    @Test("A program that hangs is killed with what it started when its time is up")
    func hangs() async throws {
        let directory = try TemporaryDirectory()
        let program = try Self.program(
            "echo $$ > \"$(dirname \"$0\")/pid\"; sleep 600 & sleep 600", in: directory, seconds: 5)
        await #expect(throws: PolicyModuleError.deadline("", seconds: 0)) {
            try await program.answer(to: Self.question())
        }
        let group = try String(contentsOfFile: directory.path("pid"), encoding: .utf8)
        let number = try #require(pid_t(group.trimmingCharacters(in: .whitespacesAndNewlines)))
        // Collected by us, and the others of the group by init: until then they are zombies and take no signal.
        #expect(kill(number, 0) == -1)
    }

    @Test(
        "A program that crashes, complains, or is not there, fails",
        arguments: ["exit 3", "kill -SEGV $$", "echo '{\"verdict\": \"issue\"}'; echo bad >&2; exit 1"])
    func fails(_ script: String) async throws {
        let directory = try TemporaryDirectory()
        let program = try Self.program(script, in: directory)
        await #expect(throws: PolicyModuleError.failed("", "")) { try await program.answer(to: Self.question()) }
    }

    @Test("A program that is not there fails, and one that writes without end is stopped")
    func others() async throws {
        let missing = PolicyProgramProcess(path: "/nonexistent", arguments: [], deadlineSeconds: 5)
        await #expect(throws: PolicyModuleError.failed("", "")) { try await missing.answer(to: []) }
        let directory = try TemporaryDirectory()
        let endless = try Self.program("yes", in: directory)
        await #expect(throws: PolicyModuleError.badAnswer("", "")) { try await endless.answer(to: []) }
    }

    @Test("A program that does not read a long question can answer, and sees none of our environment")
    func environment() async throws {
        let directory = try TemporaryDirectory()
        let deaf = try Self.program("echo yes", in: directory)
        #expect(try await deaf.answer(to: [UInt8](repeating: 0x20, count: 1 << 20)) == Array("yes\n".utf8))
        let curious = try Self.program(
            "cat; env | cut -d= -f1 | grep -v -e _ -e PWD -e SHLVL | sort | tr '\\n' ' '; ls /proc/self/fd | wc -l",
            in: directory)
        let text = String(decoding: try await curious.answer(to: Array("hello ".utf8)), as: UTF8.self)
        // Three, and the directory that ls reads.
        #expect(text == "hello LANG PATH 4\n")
    }
}

@Suite struct DirectoryFileTests {
    @Test("Names are found without regard to case, and a changed file counts at once")
    func entries() async throws {
        let directory = try TemporaryDirectory()
        let file = DirectoryFile(path: directory.path("directory.yaml"))
        #expect(try await file.entry(for: "EXAMPLE\\alice") == nil)
        try directory.write(
            "directory.yaml",
            Array(
                """
                EXAMPLE\\alice:
                  commonName: Alice Example
                  email: alice@example.test
                  objectGUID: 000102030405060708090a0b0c0d0e0f
                  servicePrincipalNames: [http/www.example.test]

                """.utf8))
        let entry = try #require(try await file.entry(for: "example\\ALICE"))
        #expect(entry.commonName == "Alice Example")
        #expect(entry.objectGUID == Array(0...15))
        #expect(entry.servicePrincipalNames == ["http/www.example.test"])
        try directory.write("directory.yaml", Array("EXAMPLE\\bob: {email: bob@example.test}\n".utf8))
        #expect(try await file.entry(for: "EXAMPLE\\alice") == nil)
        #expect(try await file.entry(for: "EXAMPLE\\bob")?.email == "bob@example.test")
    }

    @Test("A mistyped setting or identifier is refused", arguments: ["{mail: x}", "{objectGUID: 00}", "[]", "{{"])
    func faults(_ entry: String) async throws {
        let directory = try TemporaryDirectory()
        try directory.write("directory.yaml", Array("alice: \(entry)\n".utf8))
        let file = DirectoryFile(path: directory.path("directory.yaml"))
        await #expect(throws: ServiceError.invalid("", "", "")) { try await file.entry(for: "alice") }
    }
}

import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import CAService

@Suite("Hook programs")
struct HookProgramTests {
    /// Run by the shell and not by its own name, see ``PolicyProgramTests``.
    private func run(
        _ script: String, in directory: TemporaryDirectory, environment: [String: String] = [:], input: [UInt8] = [],
        seconds: Int = 120
    ) async throws {
        let path = try directory.write("hook.sh", Array("\(script)\n".utf8))
        try await HookProgram(path: "/bin/sh", deadlineSeconds: seconds)
            .run(arguments: [path, "an argument"], environment: environment, input: input)
    }

    @Test("A hook gets its argument, its input and its variables, and none of ours")
    func order() async throws {
        let directory = try TemporaryDirectory()
        try await self.run(
            "cat >\"$(dirname \"$0\")/input\"; echo \"$1 $SIGNET_CRL_NUMBER $(env | grep -c SOFTHSM2_CONF)\" "
                + ">\"$(dirname \"$0\")/seen\"", in: directory, environment: ["SIGNET_CRL_NUMBER": "7"],
            input: Array("the input".utf8))
        #expect(try directory.read("input") == Array("the input".utf8))
        #expect(try directory.read("seen") == Array("an argument 7 0\n".utf8))
    }

    @Test("A hook that reads nothing of a long input, or writes without being asked, does its work all the same")
    func deafAndTalkative() async throws {
        let directory = try TemporaryDirectory()
        try await self.run("exit 0", in: directory, input: [UInt8](repeating: 0x20, count: 4 << 20))
        try await self.run(
            "exec 0<&-; head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2", in: directory,
            input: [UInt8](repeating: 0x20, count: 4 << 20))
    }

    @Test("A hook that hangs is killed with what it started, and the error says so")
    func hangs() async throws {
        let directory = try TemporaryDirectory()
        let error = await #expect(throws: ServiceError.self) {
            try await self.run(
                "echo $$ >\"$(dirname \"$0\")/pid\"; sleep 600", in: directory,
                input: [UInt8](repeating: 0x20, count: 4 << 20), seconds: 5)
        }
        #expect(error?.code == .hookFailed)
        #expect(error?.headline.contains("it had not ended after 5 s and was killed") == true)
        let text = String(decoding: try directory.read("pid"), as: UTF8.self)
        let process = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(kill(process, 0) == -1)
    }

    @Test(
        "A hook that fails says why in the first line of its standard error",
        arguments: [
            ("echo no room >&2; echo more >&2; exit 1", "it ended with code 1: no room"), ("kill -9 $$", "137"),
        ])
    func fails(script: String, text: String) async throws {
        let directory = try TemporaryDirectory()
        let error = await #expect(throws: ServiceError.self) { try await self.run(script, in: directory) }
        #expect(error?.code == .hookFailed)
        #expect(error?.headline.contains(text) == true)
    }

    @Test("A hook that is not there fails, and what a hook leaves in the background is not waited for")
    func others() async throws {
        let missing = HookProgram(path: "/nonexistent/hook", deadlineSeconds: 5)
        await #expect(throws: ServiceError.self) { try await missing.run() }
        let directory = try TemporaryDirectory()
        // It holds both outputs open; without a deadline that would be reached the test would wait for it.
        try await self.run("sleep 600 & echo $! >\"$(dirname \"$0\")/pid\"", in: directory)
        let text = String(decoding: try directory.read("pid"), as: UTF8.self)
        let process = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(kill(process, SIGKILL) == 0)
    }
}

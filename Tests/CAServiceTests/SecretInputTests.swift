import CAService
import Diagnostics
import Foundation
import SecretMemory
import Synchronization
import TestSupport
import Testing

@Suite("PINs and passwords")
struct SecretInputTests {
    /// A prompt that gives its answers in turn.
    private func input(_ answers: [String] = [], environment: [String: String] = [:]) -> SecretInput {
        let remaining = Answers(answers)
        return SecretInput(environment: environment) { _ in
            try SecretBytes(copying: Array(remaining.next().utf8))
        }
    }

    private func text(_ secret: SecretBytes) -> String {
        secret.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    private func file(_ content: String, mode: Int, in directory: TemporaryDirectory) throws -> String {
        try directory.write("pin", Array(content.utf8))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: directory.path("pin"))
        return directory.path("pin")
    }

    @Test(
        "The first line of a file of mode 0600 counts, without its end",
        arguments: ["1234", "1234\n", "1234\r\nnote\n"])
    func fromFile(content: String) throws {
        let directory = try TemporaryDirectory()
        let path = try self.file(content, mode: 0o600, in: directory)
        #expect(self.text(try self.input().read(.file(path), what: "the PIN")) == "1234")
    }

    @Test("A file that group or others can read is refused with its mode", arguments: [0o640, 0o604, 0o644])
    func looseFile(mode: Int) throws {
        let directory = try TemporaryDirectory()
        let path = try self.file("1234", mode: mode, in: directory)
        let error = try #require(throws: ServiceError.self) {
            try self.input().read(.file(path), what: "the PIN")
        }
        #expect(error.code == .looseFileMode)
        #expect(error.headline.contains(String(mode, radix: 8)))
    }

    @Test("An empty file, a missing file and a missing variable are told apart from a wrong PIN")
    func unavailable() throws {
        let directory = try TemporaryDirectory()
        let empty = try self.file("\n", mode: 0o600, in: directory)
        for source in [PINSource.file(empty), .file(directory.path("none")), .environment("NOT_SET")] {
            let error = try #require(throws: ServiceError.self) {
                try self.input().read(source, what: "the PIN")
            }
            #expect(error.code == .secretUnavailable)
        }
    }

    @Test("A variable gives the secret")
    func fromEnvironment() throws {
        let input = self.input(environment: ["CA_PIN": "4711"])
        #expect(self.text(try input.read(.environment("CA_PIN"), what: "the PIN")) == "4711")
    }

    @Test("A new secret is asked twice on the terminal, and two different entries are refused")
    func askedTwice() throws {
        #expect(self.text(try self.input(["a", "a"]).readNew(.prompt, what: "the PIN")) == "a")
        let error = try #require(throws: ServiceError.self) {
            try self.input(["a", "b"]).readNew(.prompt, what: "the PIN")
        }
        #expect(error.code == .secretUnavailable)
    }
}

/// Answers that are given once each.
private final class Answers: Sendable {
    private let remaining: Mutex<[String]>

    init(_ answers: [String]) {
        self.remaining = Mutex(answers.reversed())
    }

    func next() -> String { self.remaining.withLock { $0.popLast() ?? "" } }
}

import Foundation
import TestSupport
import Testing

@testable import CAService

@Suite("Examples in the help")
struct CommandExamplesTests {
    /// The parts of `--experimental-dump-help` that a command line is judged by.
    struct Command: Decodable {
        struct Argument: Decodable {
            struct Name: Decodable {
                let kind: String
                let name: String

                var written: String { (self.kind == "long" ? "--" : "-") + self.name }
            }

            let kind: String
            let names: [Name]?
            let valueName: String?
            let isOptional: Bool
            let isRepeating: Bool
        }

        let commandName: String
        let discussion: String?
        let arguments: [Argument]?
        let subcommands: [Command]?

        var children: [Command] { (self.subcommands ?? []).filter { $0.commandName != "help" } }

        /// Command lines, continued lines joined.
        var examples: [[String]] {
            let text = (self.discussion ?? "").replacingOccurrences(of: "\\\n", with: " ")
            let lines = text.split(separator: "\n").drop { $0 != "Example:" && $0 != "Examples:" }.dropFirst()
            return lines.map { CommandWords.split(String($0)) ?? ["\($0)"] }
        }

        func leaves(below path: [String]) -> [(path: [String], command: Command)] {
            let path = path + [self.commandName]
            return self.children.isEmpty ? [(path, self)] : self.children.flatMap { $0.leaves(below: path) }
        }

        /// What is wrong with the words after the command's name, or nil.
        func fault(in words: [String]) -> String? {
            var given: Set<String> = []
            var positional = 0
            var rest = words[...]
            while let word = rest.popFirst() {
                guard word.hasPrefix("-"), self.takesOptions else {
                    positional += 1
                    continue
                }
                guard let option = self.arguments?.first(where: { $0.has(word) }) else { return "no option \(word)" }
                given.insert(word)
                if option.kind == "option", rest.popFirst() == nil { return "\(word) has no value" }
            }
            for option in self.arguments ?? [] where option.kind == "option" && !option.isOptional {
                guard (option.names ?? []).contains(where: { given.contains($0.written) }) else {
                    return "lacks \(option.names?.first?.written ?? "an option")"
                }
            }
            let places = (self.arguments ?? []).filter { $0.kind == "positional" }
            let least = places.count { !$0.isOptional }
            let most = places.contains { $0.isRepeating } ? Int.max : places.count
            return (least...max(least, most)).contains(positional) ? nil : "\(positional) words"
        }

        /// `certutil` and `certreq` read their words themselves.
        private var takesOptions: Bool { self.commandName != "certutil" && self.commandName != "certreq" }
    }

    @Test("Every command has an example that its options and words allow")
    func examples() async throws {
        struct Help: Decodable { let command: Command }
        let help = try await succeed([Programs.signet, "--experimental-dump-help"])
        let leaves = try JSONDecoder().decode(Help.self, from: Data(help.stdout)).command.leaves(below: [])
        #expect(leaves.count > 100)
        for (path, command) in leaves {
            // `signet key recover` is `signet recover`.
            let paths = path == ["signet", "key", "recover"] ? [path, ["signet", "recover"]] : [path]
            #expect(!command.examples.isEmpty, "\(path.joined(separator: " ")) has none")
            for example in command.examples {
                let name = paths.first { example.starts(with: $0) }
                #expect(name != nil, "\(path): \(example)")
                #expect(command.fault(in: Array(example.dropFirst(name?.count ?? 0))) == nil, "\(example)")
            }
        }
    }

    @Test("An example with an option that is not there, or without one that must be, is found")
    func faults() throws {
        let json = #"""
            {"commandName": "x", "arguments": [
                {"kind": "option", "names": [{"kind": "long", "name": "out"}], "isOptional": false, "isRepeating": false},
                {"kind": "positional", "valueName": "file", "isOptional": false, "isRepeating": false}]}
            """#
        let command = try JSONDecoder().decode(Command.self, from: Data(json.utf8))
        #expect(command.fault(in: ["--out", "a", "b"]) == nil)
        #expect(command.fault(in: ["--in", "a", "b"]) == "no option --in")
        #expect(command.fault(in: ["b", "--out"]) == "--out has no value")
        #expect(command.fault(in: ["b"]) == "lacks --out")
        #expect(command.fault(in: ["--out", "a"]) == "0 words")
        #expect(command.fault(in: ["--out", "a", "b", "c"]) == "2 words")
    }
}

extension CommandExamplesTests.Command.Argument {
    fileprivate func has(_ word: String) -> Bool { (self.names ?? []).contains { $0.written == word } }
}

import ArgumentParser
import CAService
import Diagnostics
import Foundation

/// `certutil` and `certreq` in the form that operators and scripts know from Windows: the same verbs, lines and codes.
/// Each verb asks the service what the commands of `signet` ask it.
struct WindowsTool: Sendable {
    /// As in `CertUtil: -dump command completed successfully.`
    let name: String
    let verbs: [WindowsVerb]
    /// When none is named but a word stands there.
    let defaultVerb: String?
    /// Verbs of Windows that have no meaning here, in lower case, and what to use.
    let elsewhere: [String: String]
    let failure: @Sendable (_ verb: String, HRESULT) -> [String]
    let success: @Sendable (_ verb: String) -> String?

    /// The tool that a program's name stands for: `certutil`, `/usr/bin/certreq`, `CertUtil.exe`.
    static func named(_ program: String) -> WindowsTool? {
        let name = program.split(separator: "/").last.map { $0.lowercased() } ?? ""
        switch name.hasSuffix(".exe") ? String(name.dropLast(4)) : name {
        case "certutil": return .certutil
        case "certreq": return .certreq
        default: return nil
        }
    }

    /// - Returns: the exit status.
    func run(_ arguments: [String]) async -> Int32 {
        var verbName = self.defaultVerb ?? ""
        do {
            let known = Set(self.verbs.map { $0.name.lowercased() }).union(self.elsewhere.keys)
            let parsed = try WindowsArguments(arguments, verbs: known)
            verbName = parsed.verb ?? self.impliedVerb(parsed)
            if let advice = self.elsewhere[verbName] { throw WindowsUsageError.elsewhere(verbName, advice) }
            let verb = self.verbs.first { $0.name.lowercased() == verbName }
            if let verb { verbName = verb.name }
            guard let verb, !parsed.has("?"), !parsed.has("help"), parsed.verb != nil || !parsed.values.isEmpty else {
                for line in self.help(parsed.verb == nil ? nil : verb) { Console.say(line) }
                return 0
            }
            guard verb.count.contains(parsed.values.count) else {
                throw WindowsUsageError.count(verb.name, verb.syntax)
            }
            try await self.run(verb, parsed)
            if let line = self.success(verb.name) { Console.say(line) }
            if let note = verb.note { Console.say(note()) }
            return 0
        } catch {
            self.tell(error, verbName)
            return 1
        }
    }

    /// The documents' examples of `-backup` leave the verb out: `certutil -p PASSWORD DIRECTORY incremental`.
    private func impliedVerb(_ arguments: WindowsArguments) -> String {
        guard let name = self.defaultVerb else { return "" }
        guard let path = arguments.values.first, self.verbs.contains(where: { $0.name == "backup" }),
            arguments["p"] != nil
        else { return name }
        var isDirectory: ObjCBool = false
        let isFile = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && !isDirectory.boolValue
        return isFile ? name : "backup"
    }

    private func run(_ verb: WindowsVerb, _ arguments: WindowsArguments) async throws {
        let context = CommandContext()
        do {
            try await verb.run(WindowsSession(arguments, context))
        } catch {
            await context.recordRefusal(error)
            await context.close()
            throw error
        }
        await context.close()
    }

    /// The lines of Windows on standard output, as scripts read them; everything else that is known beside them.
    private func tell(_ error: any Error, _ verb: String) {
        let told = WindowsUsageError.worded(error)
        let report = ErrorReport(told)
        for line in self.failure(verb, report.hresult) { Console.say(line) }
        for line in report.lines { Console.complain("  " + line) }
    }

    func help(_ verb: WindowsVerb?) -> [String] {
        if let verb {
            return [
                "Usage:", "  \(self.name) -\(verb.name) [Options] \(verb.syntax)", "  \(verb.summary)", "", "Options:",
            ] + WindowsTool.optionHelp
        }
        let width = self.verbs.map(\.name.count).max() ?? 0
        return ["Verbs:"]
            + self.verbs.map { "  -\($0.name)\(String(repeating: " ", count: width - $0.name.count)) -- \($0.summary)" }
            + ["", "\(self.name) -verb -?  -- Display the help of one verb"]
    }

    private static let optionHelp = [
        "  -f                   -- Force overwrite",
        "  -gmt                 -- Display times as GMT",
        "  -seconds             -- Display times with seconds and milliseconds",
        "  -v                   -- Verbose operation",
        "  -config Host\\CA      -- The CA; - for the default one (SIGNET_INSTANCE). Also the instance's directory",
        "  -p Source            -- Password: prompt or *, file:PATH (mode 0600) or env:NAME; never the password itself",
        "  -t Milliseconds      -- How long to look for certificates of a chain",
        "  -tokenfile File      -- Describes the token to use (SIGNET_TOKEN_FILE)",
        "  -module Path         -- PKCS #11 module whose tokens are looked at",
        "  -pin Source          -- PIN of the token, as for -p",
    ]
}

extension WindowsUsageError {
    static func elsewhere(_ verb: String, _ advice: String) -> WindowsUsageError {
        WindowsUsageError("-\(verb) has no meaning here", advice: Advice(advice))
    }

    /// A usage error of the command that a verb stands for, in place of the parser's own.
    static func worded(_ error: any Error) -> any Error {
        if error is any DiagnosableError { return error }
        if Signet.exitCode(for: error) == .validationFailure || error is ValidationError {
            return WindowsUsageError(Signet.message(for: error))
        }
        return error
    }
}

extension HRESULT {
    /// As the tools print a code: `0x80070057 (WIN32: 87)`, `0x8007010b (WIN32/HTTP: 267)`, `0x80094004 (-2146877436)`.
    /// Numbers that are status codes of HTTP as well are named as both.
    var toolCode: String {
        guard self.rawValue >> 16 == 0x8007 else { return "\(self) (\(Int32(bitPattern: self.rawValue)))" }
        let number = self.rawValue & 0xFFFF
        return "\(self) (\((100...599).contains(number) ? "WIN32/HTTP" : "WIN32"): \(number))"
    }
}

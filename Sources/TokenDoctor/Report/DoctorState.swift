package import Diagnostics
internal import Foundation

/// What an earlier run found out about one token, to see what a new firmware or a new client has changed.
package struct DoctorState: Sendable, Codable, Hashable {
    package var serialNumber: String
    package var firmware: String
    package var when: String
    /// `can`, or why not, by the name of the ability.
    package var abilities: [String: String]
    package var measured: [String: String]

    package init(_ examination: Examination) {
        self.serialNumber = examination.token.serialNumber
        self.firmware = examination.token.firmware
        self.when = examination.when
        self.abilities = [:]
        for ability in examination.roles.flatMap(\.requirements).flatMap(\.abilities) {
            self.abilities[ability.id] = ability.can ? "can" : "cannot: \(ability.because ?? "")"
        }
        self.measured = Dictionary(examination.measured.map { ($0.path, $0.text) }) { first, _ in first }
    }

    /// What is different from an earlier run, a sentence each. Latencies count when they are three times as long or as
    /// short; what one of the runs did not try is not compared.
    package func changes(since earlier: DoctorState) -> [String] {
        guard earlier.serialNumber == self.serialNumber else {
            return ["The earlier result is of another token, with serial number \(earlier.serialNumber)."]
        }
        var changes: [String] = []
        if earlier.firmware != self.firmware {
            changes.append("Firmware was \(earlier.firmware) on \(earlier.when), and is \(self.firmware).")
        }
        for (name, now) in self.abilities.sorted(by: { $0.key < $1.key }) {
            guard let before = earlier.abilities[name], before != now else { continue }
            changes.append("\(name): was \"\(before)\" on \(earlier.when), is \"\(now)\".")
        }
        for (path, now) in self.measured.sorted(by: { $0.key < $1.key }) {
            guard let before = earlier.measured[path], before != now else { continue }
            if path.hasPrefix("latency."), let one = Double(before), let other = Double(now),
                max(one, other) < 3 * min(one, other) || max(one, other) < 1
            {
                continue
            }
            changes.append("\(path): was \(before) on \(earlier.when), is \(now).")
        }
        return changes
    }

    /// - Returns: `nil` when the file does not exist.
    /// - Throws: ``DoctorError`` with code `unreadableState`.
    package static func read(_ path: String) throws(DoctorError) -> DoctorState? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return try JSONDecoder().decode(DoctorState.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw .unreadableState(path)
        }
    }

    /// Replaces the file; its directory is made when it is not there.
    package func write(_ path: String) throws(DoctorError) {
        do {
            let url = URL(fileURLWithPath: path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try encoder.encode(self).write(to: url, options: .atomic)
        } catch {
            throw .unwritableState(path, reason: error.localizedDescription)
        }
    }
}

/// A question that the doctor could not answer, for a reason that is not the token's.
package struct DoctorError: DiagnosableError, Equatable {
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let unreadableState = Code(rawValue: "unreadableState")
        package static let unwritableState = Code(rawValue: "unwritableState")
        package static let unknownReturnValue = Code(rawValue: "unknownReturnValue")
    }

    package let code: Code
    package let headline: String
    package let hresult: HRESULT
    package let advice: [Advice]

    package static func == (lhs: DoctorError, rhs: DoctorError) -> Bool { lhs.code == rhs.code }

    static func unreadableState(_ path: String) -> DoctorError {
        DoctorError(
            code: .unreadableState, headline: "\(path) is not a result of an earlier run.", hresult: .invalidData,
            advice: ["Name another file with --state, or remove this one."])
    }

    static func unwritableState(_ path: String, reason: String) -> DoctorError {
        DoctorError(
            code: .unwritableState, headline: "Could not write \(path): \(reason).", hresult: .writeFault,
            advice: ["Name a file that can be written with --state."])
    }

    static func unknownReturnValue(_ text: String) -> DoctorError {
        DoctorError(
            code: .unknownReturnValue, headline: "\"\(text)\" is no return value of PKCS #11.",
            hresult: .invalidParameter,
            advice: ["Give a name such as CKR_DEVICE_MEMORY, or a number such as 0x31, 0x8000002a or 49."])
    }
}

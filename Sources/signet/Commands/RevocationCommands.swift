import ArgumentParser
import CAService
import CertificateAuthority
import Foundation
import PKIMessages

/// `signet certificate revoke|hold|release|replace|export`
struct CertificateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificate", abstract: "Issued certificates.",
        subcommands: [
            RevokeCertificate.self, HoldCertificate.self, ReleaseCertificate.self, ReplaceCertificate.self,
            ExportCertificate.self, ImportCertificate.self,
        ])
}

/// A certificate by its serial number.
struct SerialNumberArgument: ParsableArguments {
    @Argument(help: "The serial number in hexadecimal; blanks and colons are ignored.")
    var serial: String

    /// As the database has it.
    func canonical() throws -> String {
        guard let number = SerialNumber.content(hex: self.serial.filter { !" :".contains($0) }) else {
            throw ValidationError("\"\(self.serial)\" is not a serial number in hexadecimal.")
        }
        return SerialNumber.hex(number)
    }
}

/// A moment on the command line: `2026-01-31T12:00:00Z`, or a date, which begins at midnight UTC.
struct TimeArgument: ExpressibleByArgument {
    let date: Date

    init?(argument: String) {
        let text = argument.contains("T") ? argument : argument + "T00:00:00Z"
        // `try?`: a text that is no time is a usage error, which ArgumentParser words.
        guard let date = try? Date(text, strategy: .iso8601) else { return nil }
        self.date = date
    }
}

/// A reason for a revocation on the command line, by its name or number.
struct ReasonArgument: ExpressibleByArgument {
    let reason: CRLReason

    init(_ reason: CRLReason) { self.reason = reason }

    init?(argument: String) {
        guard let reason = CRLReason(name: argument) else { return nil }
        self.init(reason)
    }

    var defaultValueDescription: String { self.reason.name }

    static var allValueStrings: [String] { CRLReason.allCases.map(\.name) }
}

/// `signet certificate revoke`
struct RevokeCertificate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revoke a certificate; it is on the next CRL.",
        examples: #"""
            signet certificate revoke 611e23c200030000000e --reason keyCompromise \
                --invalidity 2026-01-31T12:00:00Z
            """#)

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "Why, by the name of RFC 5280 or its number; removeFromCRL ends a hold.")
    var reason = ReasonArgument(.unspecified)

    @Option(name: .long, help: "From when on it is revoked, as 2026-01-31T12:00:00Z; now when left out.")
    var effective: TimeArgument?

    @Option(name: .long, help: "When the key is known or suspected to have been compromised.")
    var invalidity: TimeArgument?

    @OptionGroup var serial: SerialNumberArgument

    func run(in context: CommandContext) async throws {
        let serial = try self.serial.canonical()
        let authority = try await context.open(self.options).authority(for: .records)
        try await authority.revoke(
            serialNumber: serial, reason: self.reason.reason, effective: self.effective?.date,
            invalidity: self.invalidity?.date,
            by: authority.localOperator())
        Console.say("Revoked \(serial): \(self.reason.reason.name). Publish it with: signet crl publish")
    }
}

/// `signet certificate hold`
struct HoldCertificate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Put a certificate on hold; `release` ends it.",
        examples: "signet certificate hold 611e23c200030000000e")

    @OptionGroup var options: InstanceOptions
    @OptionGroup var serial: SerialNumberArgument

    func run(in context: CommandContext) async throws {
        let serial = try self.serial.canonical()
        let authority = try await context.open(self.options).authority(for: .records)
        try await authority.revoke(serialNumber: serial, reason: .certificateHold, by: authority.localOperator())
        Console.say("On hold: \(serial). Publish it with: signet crl publish")
    }
}

/// `signet certificate release`
struct ReleaseCertificate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Take a certificate off hold; it is valid again.",
        examples: "signet certificate release 611e23c200030000000e")

    @OptionGroup var options: InstanceOptions
    @OptionGroup var serial: SerialNumberArgument

    func run(in context: CommandContext) async throws {
        let serial = try self.serial.canonical()
        let authority = try await context.open(self.options).authority(for: .records)
        try await authority.revoke(serialNumber: serial, reason: .removeFromCRL, by: authority.localOperator())
        Console.say("Released: \(serial). Publish it with: signet crl publish")
    }
}

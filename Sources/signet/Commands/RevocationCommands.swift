import ArgumentParser
import CAService
import CertificateAuthority
import PKIMessages

/// `signet certificate revoke`
struct CertificateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificate", abstract: "Issued certificates.", subcommands: [RevokeCertificate.self])
}

/// `signet certificate revoke`
struct RevokeCertificate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revoke a certificate; it is on the next CRL.")

    @OptionGroup var options: InstanceOptions

    @Option(
        name: .long,
        help: """
            unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation, \
            certificateHold, removeFromCRL (ends a hold) or privilegeWithdrawn.
            """)
    var reason = "unspecified"

    @Argument(help: "The serial number in hexadecimal; blanks and colons are ignored.")
    var serial: String

    func run(in context: CommandContext) async throws {
        guard let reason = CRLReason(name: self.reason) else {
            throw ValidationError("--reason does not know \"\(self.reason)\"; see --help.")
        }
        guard let number = SerialNumber.content(hex: self.serial.filter { !" :".contains($0) }) else {
            throw ValidationError("\"\(self.serial)\" is not a serial number in hexadecimal.")
        }
        let serial = SerialNumber.hex(number)
        let authority = try await context.open(self.options).authority(for: .records)
        try await authority.revoke(serialNumber: serial, reason: reason, effective: nil, by: authority.localOperator())
        Console.say("Revoked \(serial): \(self.reason). Publish it with: signet crl publish")
    }
}

/// `signet crl publish`
struct CRLCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crl", abstract: "Certificate revocation lists.", subcommands: [PublishCRL.self])
}

/// `signet crl publish`
struct PublishCRL: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish", abstract: "Sign and publish a base CRL now.")

    @OptionGroup var options: InstanceOptions

    func run(in context: CommandContext) async throws {
        let authority = try await context.open(self.options).authority()
        let (record, path) = try await authority.publishCRL(by: authority.localOperator())
        Console.say("CRL number \(record.number), next update \(Output.time(record.nextUpdate)): \(path)")
    }
}

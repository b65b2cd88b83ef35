import ArgumentParser
import CAService
import CertificateAuthority

/// `signet ca restore-keys`
struct RestoreKeys: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore-keys",
        abstract: "Bring the CA's keys from their PKCS #12 back onto the token that it signs on.",
        discussion: """
            Those that `signet backup keys --pkcs12` has written and that the tokens of signet.yaml do not have any more. They \
            are not extractable there. signetd must not run. A key that was stopped while it was away signs again after \
            `signet ca release-key`.
            """,
        examples: "signet ca restore-keys old-ca.p12 --password prompt --instance /srv/old")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The PKCS #12.")
    var file: String

    @Option(name: .long, help: "Where its password comes from: prompt, file:PATH or env:NAME.")
    var password: String

    func run(in context: CommandContext) async throws {
        let instance = try await context.open(self.options, for: .restore, to: "restore the CA's keys")
        let keys = try await instance.restoreKeys(
            from: FilePaths.readSecret(self.file),
            password: SecretInput.system.read(PINSource(self.password), what: "the password of \(self.file)"),
            by: instance.localOperator())
        for key in keys { key.tell() }
    }
}

extension KeyFromFile {
    func tell() {
        Console.say(
            "CA key \(self.keyIndex): \(self.isNew ? "restored and proven" : "on its token already") \(self.reference)")
    }
}

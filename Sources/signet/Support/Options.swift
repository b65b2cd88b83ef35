import ArgumentParser
import CAService
import CertificateAuthority
import Foundation
import KeyProvider

/// The instance a command works on.
struct InstanceOptions: ParsableArguments {
    @Option(name: .long, help: "The instance's directory.")
    var instance: String = InstanceOptions.standardDirectory

    private static var standardDirectory: String {
        ProcessInfo.processInfo.environment["SIGNET_INSTANCE"] ?? "."
    }

    /// The directory that a command works on when none is named.
    static var standard: InstanceOptions {
        var options = InstanceOptions()
        options.instance = self.standardDirectory
        return options
    }
}

/// A token that stands in no instance: a card in the hand, or one to make an instance on.
struct TokenOptions: ParsableArguments {
    @Option(name: .long, help: "A YAML file that describes the token, with the keys of `tokens:` in signet.yaml.")
    var tokenFile: String?

    @Option(name: .long, help: "Path of the PKCS#11 module.")
    var module: String?

    @Option(name: .long, help: "The reserved string for C_Initialize; NSS softokn needs one.")
    var moduleArguments: String?

    @Option(name: .long, help: "NAME=VALUE for a variable that the module reads. May be repeated.")
    var moduleEnvironment: [String] = []

    @Option(name: .long, help: "A pkcs11: URI that fits one token, such as pkcs11:token=KRA%201.")
    var token: String?

    @Option(name: .long, help: "The device profile; matched by manufacturer and model when left out.")
    var profile: String?

    @Option(name: .long, help: "FIELD=VALUE for a profile field that differs on this token. May be repeated.")
    var profileOverride: [String] = []

    @Option(name: .long, help: "Where the PIN comes from: prompt, file:PATH or env:NAME.")
    var pin: String?

    /// - Throws: a usage error when neither a file nor module and token are named.
    func configuration() throws -> TokenConfiguration {
        var configuration = try self.base()
        for (name, value) in try TokenOptions.pairs(self.moduleEnvironment, option: "--module-environment") {
            configuration.moduleEnvironment[name] = value
        }
        for (name, value) in try TokenOptions.pairs(self.profileOverride, option: "--profile-override") {
            configuration.profileOverrides[name] = value
        }
        if let profile = self.profile { configuration.profile = profile }
        if let pin = self.pin { configuration.pin = try PINSource(pin) }
        return configuration
    }

    private func base() throws -> TokenConfiguration {
        if let file = self.tokenFile {
            guard self.module == nil, self.token == nil else {
                throw ValidationError("Name either --token-file, or --module and --token.")
            }
            return try TokenConfiguration(
                yaml: String(decoding: FilePaths.read(file), as: UTF8.self), file: file)
        }
        guard let module = self.module, let token = self.token else {
            throw ValidationError("Name the token: --token-file FILE, or --module PATH --token pkcs11:token=LABEL.")
        }
        return TokenConfiguration(
            module: module, moduleArguments: self.moduleArguments, token: try KeyReference(token).uri,
            pin: .prompt)
    }

    private static func pairs(_ texts: [String], option: String) throws -> [(String, String)] {
        try texts.map { text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw ValidationError("\(option) takes NAME=VALUE, not \"\(text)\".")
            }
            return (String(parts[0]), String(parts[1]))
        }
    }
}

/// A key algorithm on the command line.
struct KeyAlgorithmArgument: ExpressibleByArgument {
    var algorithm: KeyAlgorithm

    init?(argument: String) {
        guard let algorithm = KeyAlgorithm(argument) else { return nil }
        self.algorithm = algorithm
    }
}

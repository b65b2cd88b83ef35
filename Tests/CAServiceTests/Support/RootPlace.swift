import CertificateAuthority
import Foundation
import KeyProvider
import PKIMessages
import TestSupport

@testable import CAService

/// A root CA on SoftHSM whose clock stands still.
struct RootPlace {
    let directory: TemporaryDirectory
    let clock: FixedClock
    let instance: Instance
    private let surroundings: Surroundings

    /// - Parameters:
    ///   - crl: lines for the section `crl` of `signet.yaml`.
    ///   - more: a line below all sections; `DIRECTORY` stands for the place of scripts.
    init(_ token: SoftwareToken, crl: [String] = [], more: String = "") async throws {
        self.directory = token.directory
        self.clock = FixedClock(seconds: Int64(Date().timeIntervalSince1970))
        let clock = self.clock
        self.surroundings = Surroundings(
            now: { Date(timeIntervalSince1970: TimeInterval(clock.now)) }, randomBytes: LibCrypto.randomBytes)
        let pin = try self.directory.write("pin", Array(token.userPIN.utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: pin)
        let configuration = InstanceConfiguration(
            name: "Place CA", type: .root,
            token: TokenConfiguration(
                module: token.modulePath, token: "pkcs11:token=signet%20test", profile: "softhsm2", pin: .file(pin)),
            web: .init(host: "127.0.0.1", port: 1, publicationPort: 2, publicationURL: "http://localhost:2"),
            userPrincipalNameSuffix: "example.test")
        let path = self.directory.path("ca")
        _ = try await InstanceCreation(
            plan: .init(
                directory: path, configuration: configuration, subject: "CN=Place CA", keyAlgorithm: .p256),
            secrets: .system, surroundings: self.surroundings
        ).makeRoot()
        var text = try String(contentsOfFile: path + "/signet.yaml", encoding: .utf8)
        text = text.replacing("crl:\n", with: "crl:\n" + crl.map { "  \($0)\n" }.joined())
        text += "\n" + more.replacing("DIRECTORY", with: self.directory.path) + "\n"
        try text.write(toFile: path + "/signet.yaml", atomically: true, encoding: .utf8)
        self.instance = try Instance.open(path, secrets: .system, surroundings: self.surroundings)
    }

    /// The instance as another process opens it.
    func reopened() throws -> Instance {
        try Instance.open(self.instance.directory, secrets: .system, surroundings: self.surroundings)
    }

    /// A program that anybody may run.
    func script(_ name: String, _ text: String) throws {
        let path = try self.directory.write(name, Array("#!/bin/sh\n\(text)\n".utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }

    /// Issues a certificate for a web server.
    func issue(_ host: String = "www", by authority: Authority) async throws -> CertificateFields {
        let request = try await SubscriberRequest(
            RequestContent(
                subject: "CN=\(host).example.test", alternativeNames: ["dns:\(host).example.test"],
                template: "WebServer"),
            key: SoftwareRequesterKey.generate(.p256)
        ).make()
        let result = try await authority.submit(
            EnrollmentSubmission(requestBytes: request.der, caller: authority.localOperator()))
        return try CertificateFields(derEncoded: result.certificateDER ?? [])
    }

    /// Renews with a new key, as a command does it beside the service.
    func renew(validity: TimeInterval? = nil) async throws {
        let instance = try self.reopened()
        let renewal = AuthorityRenewal(
            instance, newKeyAlgorithm: .p256, settings: nil, by: try await instance.localOperator())
        _ = try await renewal.renewRoot(validity: validity)
        await instance.tokens.close()
    }
}

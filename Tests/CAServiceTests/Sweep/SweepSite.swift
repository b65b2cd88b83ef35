import CertificateAuthority
import Diagnostics
import Foundation
import KeyArchival
import KeyProvider
import PKIMessages
import SecretMemory
import TestSupport
import Testing

@testable import CAService

/// A certification authority in this process with its keys on one card, and a key recovery agent with another one.
final class SweepSite: Sendable {
    static let alice = Principal(name: "EXAMPLE\\alice", roles: [.enrollee])

    let directory: TemporaryDirectory
    let authorityCard: SweepCard
    let agentCard: SweepCard
    let authority: Authority
    let agentToken: any KeyToken
    let agentCertificate: CertificateFields
    let clock: FixedClock
    /// A PKCS #10, and a CMC request that carries its key.
    let request, archivalRequest: [UInt8]
    let archival: SubscriberRequest.Archival
    let agentOpener: TokenOpener

    /// - Parameter minimumKeyBits: of RSA keys in the template User; the template's own when not given.
    init(minimumKeyBits: Int? = nil) async throws {
        self.directory = try TemporaryDirectory()
        self.authorityCard = try await SweepCard(label: "ca")
        self.agentCard = try await SweepCard(label: "agent")
        let clock = FixedClock(seconds: Int64(Date().timeIntervalSince1970))
        self.clock = clock
        let surroundings = Surroundings(
            now: { Date(timeIntervalSince1970: TimeInterval(clock.now)) }, randomBytes: LibCrypto.randomBytes)
        _ = try await SweepSite.creation(
            self.directory.path("ca"), on: self.authorityCard, surroundings: surroundings
        ).makeRoot()
        if let minimumKeyBits {
            try SweepSite.setMinimumKeyBits(minimumKeyBits, in: self.directory.path("ca/templates"))
        }
        let instance = try Instance.open(
            self.directory.path("ca"), secrets: .system, surroundings: surroundings)
        self.authority = try await instance.authority()
        self.agentOpener = try TokenOpener(
            directory: ".", secrets: .system, profiles: .standard(instance: nil, environment: [:]),
            records: .standard(instance: self.directory.path("ca"), environment: [:]))
        self.agentToken = try await self.agentOpener.open(self.agentCard.configuration)
        self.agentCertificate = try await SweepSite.enrolledAgent(self.agentToken, self.authority)
        // An agent serves only while there is a current revocation list.
        _ = try await self.authority.publishDueCRLs { _, error in Issue.record(error) }
        _ = try await self.authority.addRecoveryAgent(
            self.agentCertificate.derBytes, by: self.authority.localOperator())
        self.request = try await SweepSite.message("WebServer", archival: nil)
        self.archival = try await SweepSite.archival(to: self.authority)
        self.archivalRequest = try await SweepSite.message("User", archival: self.archival)
    }

    /// A CMC request that carries its key to an authority.
    static func archivalRequest(
        to authority: Authority, _ algorithm: KeyAlgorithm = .rsa(modulusBits: 2048),
        _ format: SubscriberRequest.KeyFormat = .tokenWrapped
    ) async throws -> [UInt8] {
        try await self.message("User", algorithm, archival: self.archival(to: authority, format))
    }

    private static func archival(
        to authority: Authority, _ format: SubscriberRequest.KeyFormat = .tokenWrapped
    ) async throws -> SubscriberRequest.Archival {
        let instance = authority.instance
        let exchange = try await authority.currentExchangeCertificate()
        let root = try await instance.authorityCertificates().map {
            TextEncoding.pem($0.derBytes, label: "CERTIFICATE")
        }
        return try await .init(
            exchangeCertificateDER: exchange.certificateDER, authorityPEM: Array(root.joined().utf8),
            revocationListDER: instance.storage.read { try $0.latestCRL(caKeyIndex: 0)?.crlDER ?? [] },
            format: format, now: instance.surroundings.now())
    }

    private static func setMinimumKeyBits(_ bits: Int, in templates: String) throws {
        var template = try #require(try TemplateFiles.read(from: templates).first { $0.name == "User" })
        template.minimumKeyBits.rsa = bits
        try Data(TemplateFiles.text(of: template).utf8).write(to: URL(fileURLWithPath: templates + "/User.yaml"))
    }

    static func creation(
        _ directory: String, on card: SweepCard, surroundings: Surroundings = .system
    ) throws -> InstanceCreation {
        let web = InstanceConfiguration.WebConfiguration(
            host: "127.0.0.1", port: 1, publicationPort: 2, publicationURL: "http://localhost:2")
        let configuration = InstanceConfiguration(
            name: "Swept CA", type: .root, token: card.configuration, web: web,
            userPrincipalNameSuffix: "example.test")
        return try InstanceCreation(
            plan: .init(
                directory: directory, configuration: configuration, subject: "CN=Swept CA", keyAlgorithm: .p256),
            secrets: .system, surroundings: surroundings)
    }

    static func message(
        _ template: String, _ algorithm: KeyAlgorithm = .rsa(modulusBits: 2048), form: SubscriberRequest.Form? = nil,
        archival: SubscriberRequest.Archival?
    ) async throws -> [UInt8] {
        try await SubscriberRequest(
            RequestContent(subject: "CN=alice.example.test", template: template),
            key: SoftwareRequesterKey.generate(algorithm), form: form, archival: archival
        ).make().der
    }

    private static func enrolledAgent(
        _ card: any KeyToken, _ authority: Authority
    ) async throws -> CertificateFields {
        let pending = try await AgentEnrollment(card: card, name: "Agent", algorithm: .rsa(modulusBits: 2048))
            .enroll(requester: authority.localOperator()) { try await authority.submit($0) }
        let issued = try await authority.approve(request: pending.requestID, by: authority.localOperator())
        let certificate = try CertificateFields(derEncoded: issued.certificateDER ?? [])
        _ = try await AgentEnrollment.accept(certificate, on: card)
        return certificate
    }

    var authorityToken: any KeyToken {
        get async throws { try await self.authority.instance.token(named: "ca") }
    }

    func recoveryBlob() async throws -> AgentRecovery {
        try await self.submit(self.archivalRequest, by: SweepSite.alice)
        let archived = try await self.authority.instance.archivedKeys(
            matching: "EXAMPLE\\alice", for: self.authority.localOperator())
        let blob = try await self.authority.recoveryBlob(
            matching: archived.first?.serialNumber ?? "", by: self.authority.localOperator())
        let root = try await self.authority.instance.authorityCertificates()
            .map { TextEncoding.pem($0.derBytes, label: "CERTIFICATE") }
        return try AgentRecovery(blob: blob.der, authorityPEM: Array(root.joined().utf8))
    }

    /// A new certificate of a key that is not in the archive.
    func unarchived(_ key: SoftwareRequesterKey) async throws -> PKCS12.Entry {
        let request = try await SubscriberRequest(
            RequestContent(subject: "CN=alice.example.test", template: "WebServer"), key: key, archival: nil
        ).make().der
        let id = try await self.submit(request, by: SweepSite.alice)
        let issued = try await self.authority.instance.storage.read { try $0.certificate(forRequest: id) }
        return PKCS12.Entry(
            privateKey: key.privateKey, certificate: try #require(issued).certificateDER, friendlyName: nil)
    }

    /// Archived keys whose evidence is not what the audit chain recorded.
    func unvouched() async throws -> [Int64] {
        var found: [Int64] = []
        _ = try await self.authority.instance.archivalEvidence(by: self.authority.localOperator()) { entry in
            if [.nobody, .changed].contains(entry.voucher) { found.append(entry.key.requestID) }
        }
        return found
    }

    /// Submits a request that has to be issued.
    @discardableResult
    func submit(_ bytes: [UInt8], by caller: Principal) async throws -> Int64 {
        let result = try await self.authority.submit(
            EnrollmentSubmission(requestBytes: bytes, caller: caller))
        guard result.disposition == .issued else { throw result.failure ?? SweepError.notIssued(result.disposition) }
        return result.requestID
    }

    /// What every authority has to be like when nothing is at work: every intent and every request has an outcome, and
    /// the audit chain is whole.
    func contradictions(acknowledged: [Int64]) async throws -> [String] {
        let storage = self.authority.instance.storage
        return try await storage.read { storage in
            var found = try storage.openIntents().map { "intent \($0.number) is open" }
            for row in try storage.requests(with: nil, limit: 100_000) {
                let certificate = try storage.certificate(forRequest: row.requestID)
                let key = try storage.archivedKey(forRequest: row.requestID)
                let isIssued = row.disposition == .issued
                if row.disposition == .active { found.append("request \(row.requestID) has no outcome") }
                if (certificate != nil) != isIssued { found.append("request \(row.requestID): certificate and row") }
                if (key != nil) != (isIssued && row.templateName == "User") {
                    found.append("request \(row.requestID): archived key and certificate")
                }
                if acknowledged.contains(row.requestID), !isIssued { found.append("\(row.requestID) was lost") }
            }
            let entries = try storage.auditEntries(after: 0, limit: 1_000_000)
            if AuditChain.firstBreak(in: entries, after: nil) != nil { found.append("the audit chain is broken") }
            return found
        }
    }

    func close() async {
        await self.agentOpener.close()
        await self.authority.instance.tokens.close()
        await self.authorityCard.close()
        await self.agentCard.close()
    }
}

enum SweepError: Error {
    case notIssued(Disposition)
}

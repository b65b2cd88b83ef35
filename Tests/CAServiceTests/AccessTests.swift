import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import TestSupport
import Testing

@testable import CAService

@Suite("What an operator may ask of an instance, and what is recorded")
struct AccessTests {
    private static let nobody = Principal(name: "EXAMPLE\\nobody", roles: [])
    private static let torn = Principal(
        name: "EXAMPLE\\torn", roles: [.administrator, .auditor], isRoleSeparationEnforced: true)

    /// Every operation that asks the table before it does anything, by its name in the table.
    private static func operations(
        _ site: SweepSite
    ) -> [(CAOperation, @Sendable (Principal) async throws -> Void)] {
        let (authority, instance) = (site.authority, site.authority.instance)
        return [
            (.manageCACertificates, { _ = try await instance.installCertificate([0x30, 0], chain: [], by: $0) }),
            (
                .manageWebServer,
                { _ = try await instance.enrollWebServer(dnsNames: ["a.example.test"], keyToken: "ca", by: $0) }
            ),
            (.readAudit, { _ = try await instance.verifyAudit(by: $0) }),
            (.signAuditHead, { _ = try await authority.signAuditHead(by: $0) }),
            (.readConfiguration, { _ = try await instance.auditFilter(for: $0) }),
            (.manageTemplates, { try await instance.disableTemplates(["User"], by: $0) }),
            (.manageRecoveryAgents, { _ = try await authority.addRecoveryAgent([0x30, 0], by: $0) }),
        ]
    }

    private static func code(_ body: () async throws -> Void) async -> HRESULT? {
        do {
            try await body()
            return nil
        } catch { return ErrorReport(error).hresult }
    }

    @Test("Without a role an operation is refused before it does anything, and with two separated ones, too")
    func refused() async throws {
        let site = try await SweepSite()
        let instance = site.authority.instance
        let before = try await instance.storage.read { try $0.auditHead()?.sequence }
        for (operation, attempt) in Self.operations(site) {
            let name = Comment(rawValue: operation.rawValue)
            #expect(await Self.code { try await attempt(Self.nobody) } == .accessDenied, name)
            #expect(await Self.code { try await attempt(Self.torn) } == .roleConflict, name)
        }
        #expect(
            await Self.code { _ = try await site.authority.exchangeCertificate(for: Self.nobody) } == .accessDenied)
        _ = try await site.authority.exchangeCertificate(for: SweepSite.alice)
        #expect(try await instance.storage.read { try $0.auditHead()?.sequence } == before)

        let refusal = RequestError.accessDenied(Self.nobody, operation: .publishCRL, to: "publish a CRL")
        try await instance.recordRefusal(refusal, of: Self.nobody)
        try await instance.recordRefusal(SweepError.notIssued(.denied), of: Self.nobody)
        let event = try #require(try await instance.storage.read { try $0.auditHead() }?.event)
        #expect(event.id == .accessRefused && event.who == Self.nobody.name)
        #expect(event.details["Operation"] == "publish a CRL" && event.details["Code"] == "0x80070005")
        #expect(try await instance.storage.read { try $0.auditHead()?.sequence } == before.map { $0 + 1 })
        await site.close()
    }

    @Test("A directory without an instance is 0x80070002, and a template that does not exist 0x80094813")
    func codes() async throws {
        let directory = try TemporaryDirectory()
        #expect(
            await Self.code { _ = try Instance.open(directory.path("none"), secrets: .system) } == .fileNotFound)
        let (instance, _) = try Self.bareInstance(in: directory)
        let boss = Principal(name: "boss", roles: [.administrator])
        #expect(await Self.code { try await instance.enableTemplates(["NoSuchThing"], by: boss) } == .unknownCertType)
    }

    /// An instance without keys and certificates.
    private static func bareInstance(in directory: TemporaryDirectory) throws -> (Instance, InstanceLayout) {
        let layout = InstanceLayout(directory: directory.path("ca"))
        for path in [layout.directory, layout.templatesDirectory, layout.publicationDirectory] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        let configuration = InstanceConfiguration(
            name: "Bare CA", type: .root,
            token: TokenConfiguration(module: "/none", token: "pkcs11:token=none", profile: nil, pin: .prompt),
            web: .init(host: "127.0.0.1", port: 1, publicationPort: 2, publicationURL: "http://localhost:2"),
            userPrincipalNameSuffix: nil)
        try FilePaths.create(layout.configurationPath, with: Array(configuration.yamlText.utf8), mode: 0o600)
        try TemplateFiles.writeBuiltIn(layout)
        return (try Instance.open(layout.directory, secrets: .system), layout)
    }

    @Test("Loading templates is 4898 once; what differs at the next time is 4899, and 4900 for permissions alone")
    func templates() async throws {
        let directory = try TemporaryDirectory()
        let (instance, layout) = try Self.bareInstance(in: directory)
        func events(_ instance: Instance, after sequence: Int64) async throws -> [AuditEvent] {
            try await instance.recordLoadedTemplates()
            return try await instance.storage.read { try $0.auditEntries(after: sequence, limit: 1_000) }.map(\.event)
        }
        func length() async throws -> Int64 { try await instance.storage.read { try $0.auditHead()?.sequence ?? 0 } }
        let first = try await events(instance, after: 0)
        let enabled = try instance.enabledTemplateNames()
        #expect(first.map(\.id) == enabled.map { _ in .templateLoaded })
        #expect(Set(first.compactMap { $0.details["Template"] }) == Set(enabled))
        #expect(try await events(instance, after: length()).isEmpty)

        var template = try instance.template(named: "WebServer")
        template.permissions = []
        func store() throws -> Instance {
            try FilePaths.replace(
                TemplateFiles.path(of: template.name, in: layout), with: Array(TemplateFiles.text(of: template).utf8),
                mode: 0o644)
            return try Instance.open(layout.directory, secrets: .system)
        }
        let security = try await events(store(), after: length())
        #expect(security.map(\.id) == [.templateSecurityUpdated])
        #expect(security.first?.details["Template"] == "WebServer")
        template.validity = .weeks(30)
        #expect(try await events(store(), after: length()).map(\.id) == [.templateUpdated])
    }

    @Test("A CA certificate that is published is 799; recovery agents and enabled templates are properties, 796")
    func properties() async throws {
        let site = try await SweepSite()
        let instance = site.authority.instance
        let boss = Principal(name: "boss", roles: [.administrator])
        try await instance.disableTemplates(["User"], by: boss)
        let events = try await instance.storage.read { try $0.auditEntries(after: 0, limit: 1_000) }.map(\.event)
        let published = events.filter { $0.id == .caCertificatePublished }
        let certificate = try #require(try await instance.authorityCertificates().first)
        #expect(
            published.map { $0.details["Certificate Hash"] } == [Hexadecimal.lower(certificate.sha1Thumbprint)])
        let properties = events.filter { $0.id == .propertyChanged }.map(\.details)
        #expect(properties.map { $0["Property"] } == ["KRA certificate", "Templates"])
        #expect(properties[0]["Value"] == Hexadecimal.lower(site.agentCertificate.sha1Thumbprint))
        #expect(properties[1]["Value"]?.contains("WebServer") == true)
        #expect(properties[1]["Value"]?.split(separator: " ").contains("User") == false)
        await site.close()
    }
}

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

    private static func code(_ body: () async throws -> Void) async -> HRESULT? {
        do {
            try await body()
            return nil
        } catch { return ErrorReport(error).hresult }
    }

    /// Every role alone, every two of them, none, and all.
    private static let roleSets: [Set<Role>] =
        [[], Set(Role.allCases)] + Role.allCases.map { [$0] }
        + Role.allCases.flatMap { one in Role.allCases.filter { $0 != one }.map { [one, $0] } }

    @Test("Every way into the authority asks the table, with role separation off and on, before it does anything")
    func entryPoints() async throws {
        let site = try await SweepSite()
        #expect(Set(EntryPoint.all.map(\.operation)) == Set(CAOperation.allCases).subtracting(EntryPoint.without))
        let refusals: Set<HRESULT> = [.accessDenied, .roleConflict, .enrollDenied]
        for (entry, roles) in EntryPoint.all.flatMap({ entry in Self.roleSets.map { (entry, $0) } }) {
            for isSeparated in [false, true] {
                let who = Principal(name: "EXAMPLE\\who", roles: roles, isRoleSeparationEnforced: isSeparated)
                let verdict = who.verdict(on: entry.operation)
                let before = try await site.instance.storage.read { try $0.auditHead()?.sequence }
                let code = await Self.code { try await entry.attempt(site, who) }
                let what = Comment(rawValue: "\(entry.name) by \(roles.map(\.rawValue)), separation \(isSeparated)")
                switch verdict {
                case .allowed: #expect(code.map { !refusals.contains($0) } ?? true, what)
                case .missingRole: #expect(code == (entry.operation == .enroll ? .enrollDenied : .accessDenied), what)
                case .roleConflict: #expect(code == .roleConflict, what)
                }
                guard verdict != .allowed else { continue }
                #expect(try await site.instance.storage.read { try $0.auditHead()?.sequence } == before, what)
            }
        }
        await site.close()
    }

    @Test("What is refused is event 10010 with operation and code; other errors are not")
    func refusals() async throws {
        let site = try await SweepSite()
        let instance = site.authority.instance
        let before = try await instance.storage.read { try $0.auditHead()?.sequence }
        let refusal = RequestError.accessDenied(Self.nobody, operation: .publishCRL, to: "publish a CRL")
        try await instance.recordRefusal(refusal, of: Self.nobody)
        try await instance.recordRefusal(SweepError.notIssued(.denied), of: Self.nobody)
        let event = try #require(try await instance.storage.read { try $0.auditHead() }?.event)
        #expect(event.id == .accessRefused && event.id.rawValue == 10_010 && event.who == Self.nobody.name)
        #expect(event.details["Operation"] == "publish a CRL" && event.details["Code"] == "0x80070005")
        #expect(try await instance.storage.read { try $0.auditHead()?.sequence } == before.map { $0 + 1 })
        // The authority itself, behind the web front, records the same.
        try await site.authority.authority.recordRefusal(refusal, of: Self.nobody)
        let second = try await instance.storage.read { try $0.auditHead() }?.event
        #expect(second?.id == .accessRefused && second?.details == event.details)
        await site.close()
    }

    @Test("An account is found by its name in the trail, with its groups; one of another host or unknown is nobody")
    func accounts() throws {
        let directory = try TemporaryDirectory()
        let current = try SystemAccount.current(instance: directory.url.path)
        let found = try #require(try SystemAccount.named(current.principalName, instance: directory.url.path))
        #expect(found.principalName == current.principalName && found.ownsInstance)
        #expect(!found.groups.isEmpty)
        #expect(try SystemAccount.named("elsewhere\\\(current.name)", instance: directory.url.path) == nil)
        #expect(try SystemAccount.named("\(current.host)\\no-such-account", instance: directory.url.path) == nil)
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
    static func bareInstance(in directory: TemporaryDirectory) throws -> (Instance, InstanceLayout) {
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

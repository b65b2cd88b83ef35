import CertificateAuthority
import Foundation
import KeyProvider
import PKIMessages

@testable import CAService

/// One way into the certification authority: what the command line, the service and embedding programs call.
struct EntryPoint: Sendable {
    let name: String
    let operation: CAOperation
    /// Fails after the question for the role, or does nothing that another attempt would see.
    let attempt: @Sendable (SweepSite, Principal) async throws -> Void

    init(
        _ name: String, _ operation: CAOperation,
        _ attempt: @escaping @Sendable (SweepSite, Principal) async throws -> Void
    ) {
        (self.name, self.operation, self.attempt) = (name, operation, attempt)
    }

    /// Operations that nobody can ask for yet, or that no role decides about.
    static let without: Set<CAOperation> = [
        // Asked in the operator's name, of the instance that is backed up or replaced: BackupTests.
        .backUp, .restore,
        // Whoever holds the card may; no instance is asked.
        .openArchivedKey,
    ]

    static let all: [EntryPoint] = requests + managers + agents + administrators + authority + audit

    private static let unknown = "61"

    private static let requests = [
        EntryPoint("submit", .enroll) { site, who in
            _ = try await site.authority.submit(.init(requestBytes: [0x30, 0], caller: who))
        },
        EntryPoint("enroll an agent", .enroll) { site, who in
            guard !who.isAllowed(.enroll) else { return }
            _ = try await AgentEnrollment(card: site.agentToken, name: "Agent", algorithm: .rsa(modulusBits: 2048))
                .enroll(requester: who) { try await site.authority.submit($0) }
        },
        EntryPoint("result of a request", .readRequests) { site, who in
            _ = try await site.authority.result(ofRequest: 1, for: who)
        },
        EntryPoint("certificate of a request", .readRequests) { site, who in
            _ = try await site.instance.issuedCertificate(ofRequest: 1, for: who)
        },
        EntryPoint("list requests", .readRequests) { site, who in
            _ = try await site.instance.requests(matching: RequestQuery(), by: who) { _ in }
        },
        EntryPoint("show a request", .readRequests) { _ = try await $0.instance.requestRow(1, by: $1) },
        EntryPoint("export a column", .readRequests) { site, who in
            _ = try await site.instance.binary(try .rawCertificate(), ofRequest: 1, by: who)
        },
        EntryPoint("look for archived keys", .readRequests) { site, who in
            _ = try await site.instance.archivedKeys(matching: unknown, for: who)
        },
        EntryPoint("take over what was published", .importCertificate) { site, who in
            _ = try await site.instance.takeOver(published: [], by: who)
        },
        EntryPoint("import a certificate", .importCertificate) { site, who in
            _ = try await site.instance.importCertificate(.init(certificate: []), by: who)
        },
        EntryPoint("list replacements", .readRequests) { _ = try await $0.instance.replacements(limit: 1, for: $1) },
        EntryPoint("show a replacement", .readRequests) { _ = try await $0.instance.replacement(99, for: $1) },
        EntryPoint("what expires", .readRequests) { _ = try await $0.instance.expiring(within: 1, for: $1) },
        EntryPoint("exchange certificate", .getExchangeCertificate) { site, who in
            _ = try await site.authority.exchangeCertificate(for: who)
        },
    ]

    private static let managers = [
        EntryPoint("approve", .approveRequest) { _ = try await $0.authority.approve(request: 999, by: $1) },
        EntryPoint("deny", .denyRequest) { _ = try await $0.authority.deny(request: 999, by: $1) },
        EntryPoint("resubmit a pending request", .resubmitRequest) { site, who in
            _ = try await site.authority.authority.resubmit(request: site.row(.pending), by: who)
        },
        EntryPoint("resubmit a denied request", .resubmitDeniedRequest) { site, who in
            _ = try await site.authority.authority.resubmit(request: site.row(.denied), by: who)
        },
        EntryPoint("set attributes", .setRequestAttributes) { site, who in
            try await site.authority.authority.setAttributes("a:b", ofRequest: 999, by: who)
        },
        EntryPoint("set an extension", .setRequestExtension) { site, who in
            try await site.authority.authority.setExtension(
                .init(oid: "1.2.3", isCritical: false, value: [5, 0]), ofRequest: 999, by: who)
        },
        EntryPoint("revoke", .revokeCertificate) { site, who in
            try await site.authority.revoke(serialNumber: unknown, reason: .superseded, by: who)
        },
        EntryPoint("replace", .revokeCertificate) { site, who in
            _ = try await site.authority.authority.replace(
                .init(serialNumber: unknown, reason: .superseded, requestBytes: [0x30, 0], window: 1), by: who)
        },
        EntryPoint("go on with a replacement", .revokeCertificate) { site, who in
            _ = try await site.authority.authority.resume(case: 99, by: who)
        },
        EntryPoint("make a successor's key", .revokeCertificate) { site, who in
            _ = try await site.instance.successorRequest(ofCertificate: unknown, for: who)
        },
        EntryPoint("take a recovery blob", .retrieveArchivedKey) { site, who in
            _ = try await site.authority.recoveryBlob(matching: unknown, by: who)
        },
        EntryPoint("who can open a key", .retrieveArchivedKey) { site, who in
            _ = try await site.instance.agents(ofKeyMatching: unknown, for: who)
        },
        EntryPoint("import keys", .importArchivedKey) { _ = try $0.authority.keyImporter(isForced: false, for: $1) },
        EntryPoint("prove recovery", .retrieveArchivedKey) { _ = try $0.authority.recoveryDrill(for: $1) },
        EntryPoint("is a proof due", .retrieveArchivedKey) { _ = try await $0.instance.lastDrillStillGood(for: $1) },
        EntryPoint("proofs of recovery", .readAudit) { _ = try await $0.instance.recoveryDrills(for: $1) },
        EntryPoint("encrypt keys anew", .manageRecoveryAgents) { _ = try $0.authority.keyRewrap(for: $1) },
        EntryPoint("approve a release", .approveKeyRelease) { site, who in
            _ = try await site.instance.approveRelease(ofKeyMatching: unknown, by: who)
        },
    ]

    private static let agents = [
        EntryPoint("add an agent", .manageRecoveryAgents) { site, who in
            _ = try await site.authority.addRecoveryAgent([0x30, 0], by: who)
        },
        EntryPoint("remove an agent", .manageRecoveryAgents) { site, who in
            _ = try await site.authority.removeRecoveryAgent(unknown, force: true, by: who)
        },
        EntryPoint("list agents", .readConfiguration) { _ = try await $0.authority.recoveryAgents(for: $1) },
        EntryPoint("state of archival", .readConfiguration) { _ = try await $0.authority.archivalState(for: $1) },
    ]

    private static let administrators = [
        EntryPoint("list templates", .readConfiguration) { _ = try $0.instance.templateList(for: $1) },
        EntryPoint("show a template", .readConfiguration) { _ = try $0.instance.template(named: "no", for: $1) },
        EntryPoint("check templates", .readConfiguration) { _ = try await $0.instance.checkTemplates(for: $1) },
        EntryPoint("add a template", .manageTemplates) { site, who in
            try await site.instance.addTemplate(BuiltInTemplates.user, by: who)
        },
        EntryPoint("change a template", .manageTemplates) { site, who in
            _ = try await site.instance.changeTemplate("no", to: "", isMajor: false, by: who)
        },
        EntryPoint("enable templates", .manageTemplates) { try await $0.instance.enableTemplates(["no"], by: $1) },
        EntryPoint("disable templates", .manageTemplates) { try await $0.instance.disableTemplates(["no"], by: $1) },
        EntryPoint("set a user", .changePermissions) { site, who in
            try await site.instance.setUser("a:b", password: nil, roles: [], by: who)
        },
        EntryPoint("set a user's roles", .changePermissions) { site, who in
            try await site.instance.setRoles([], ofUser: "no", by: who)
        },
        EntryPoint("remove a user", .changePermissions) { try await $0.instance.removeUser("no", by: $1) },
        EntryPoint("set a group", .changePermissions) { try await $0.instance.setGroup("*", roles: [], by: $1) },
        EntryPoint("remove a group", .changePermissions) { try await $0.instance.removeGroup("no", by: $1) },
        EntryPoint("change members", .changePermissions) { site, who in
            try await site.instance.changeMembers(ofGroup: "no", adding: [], removing: [], by: who)
        },
        EntryPoint("assign an identity", .changePermissions) { site, who in
            try await site.instance.setIdentity(.init(source: .certificateName, name: "a", userName: "no"), by: who)
        },
        EntryPoint("remove an identity", .changePermissions) { site, who in
            try await site.instance.removeIdentity(.systemUser, named: "no", by: who)
        },
        EntryPoint("role separation", .setRoleSeparation) { site, who in
            try await site.instance.setRoleSeparation(false, by: who)
        },
        EntryPoint("restrict a manager", .restrictManagers) { site, who in
            try await site.instance.restrict(.init(manager: "no", effect: .allow, group: "no"), by: who)
        },
        EntryPoint("free a manager", .restrictManagers) { site, who in
            try await site.instance.removeRestrictions(of: "no", by: who)
        },
        EntryPoint("list roles", .readPermissions) { _ = try await $0.instance.roleAssignments(for: $1) },
        EntryPoint("list restrictions", .readPermissions) { _ = try await $0.instance.managerRestrictions(for: $1) },
        EntryPoint("delete rows", .deleteRows) { site, who in
            var rule = PruningRule(.failed, before: .distantPast)
            rule.isRehearsal = true
            _ = try await site.authority.authority.prune(rule, by: who)
        },
        EntryPoint("the service's certificate", .manageWebServer) { site, who in
            _ = try await site.instance.enrollWebServer(dnsNames: ["a.example.test"], keyToken: "no", by: who)
        },
        EntryPoint("try a token of the instance", .configure) { site, who in
            _ = try site.instance.tokenConfiguration(named: "ca", for: who, to: .configure)
        },
        EntryPoint("who needs the keys of a token", .readConfiguration) { site, who in
            _ = try await site.instance.keyUses(on: site.agentToken, for: who)
        },
    ]

    private static let authority = [
        EntryPoint("install a CA certificate", .manageCACertificates) { site, who in
            _ = try await site.instance.installCertificate([0x30, 0], chain: [], by: who)
        },
        EntryPoint("renew", .manageCACertificates) { site, who in
            guard !who.isAllowed(.manageCACertificates) else { return }
            _ = try await AuthorityRenewal(site.instance, newKeyAlgorithm: nil, settings: nil, by: who)
                .renewRoot(validity: nil)
        },
        EntryPoint("ask for a renewal", .manageCACertificates) { site, who in
            guard !who.isAllowed(.manageCACertificates) else { return }
            _ = try await AuthorityRenewal(site.instance, newKeyAlgorithm: nil, settings: nil, by: who)
                .requestRenewal { _ in }
        },
        EntryPoint("give a renewal up", .manageCACertificates) { site, who in
            try await AuthorityRenewal.abandon(in: site.instance, by: who)
        },
        EntryPoint("ask the parent", .manageCACertificates) { site, who in
            guard !who.isAllowed(.manageCACertificates) else { return }
            _ = try await ParentEnrollment(site.instance, parent: noParent()).submit([0x30, 0], by: who)
        },
        EntryPoint("ask the parent again", .manageCACertificates) { site, who in
            _ = try await ParentEnrollment(site.instance, parent: noParent()).resume(by: who)
        },
        EntryPoint("cross-certify", .manageCACertificates) { site, who in
            guard !who.isAllowed(.manageCACertificates) else { return }
            let own = try await site.instance.authorityCertificates()
            let other = try CrossCertificationSubject(derEncoded: own[0].derBytes, at: site.instance.surroundings.now())
            _ = try await site.authority.authority.crossCertify(other, limits: .init(), by: who)
        },
        EntryPoint("link a root's keys", .manageCACertificates) { site, who in
            try await site.instance.issueMissingLinks(by: who) { _ in }
        },
        EntryPoint("retire a key", .manageCACertificates) { site, who in
            let key = KeyLocator(reference: try KeyReference("pkcs11:token=none;id=%01"), publicKeySHA256: [0])
            try await site.instance.retire(key, on: site.agentToken, by: who)
        },
        EntryPoint("release a stopped key", .releaseKey) { _ = try await $0.instance.releaseKeys(by: $1) },
        EntryPoint("publish CRLs", .publishCRL) { site, who in
            guard !who.isAllowed(.publishCRL) else { return }
            _ = try await site.authority.publishCRLs(.init(.base), by: who)
        },
        EntryPoint("list CRLs", .readConfiguration) { _ = try await $0.instance.crls(limit: 1, for: $1) },
        EntryPoint("show a CRL", .readConfiguration) { site, who in
            _ = try await site.instance.crl(number: 1, kind: .base, for: who)
        },
    ]

    private static let audit = [
        EntryPoint("see the filter", .readConfiguration) { _ = try await $0.instance.auditFilter(for: $1) },
        EntryPoint("change the filter", .changeAuditFilter) { site, who in
            guard !who.isAllowed(.changeAuditFilter) else { return }
            try await site.instance.setAuditFilter([], by: who)
        },
        EntryPoint("read the trail", .readAudit) { site, who in
            _ = try await site.instance.auditEntries(after: 0, limit: 1, by: who)
        },
        EntryPoint("verify the trail", .readAudit) { _ = try await $0.instance.verifyAudit(by: $1) },
        EntryPoint("export the trail", .readAudit) { site, who in
            _ = try await site.instance.exportAudit(to: "/nowhere/trail", by: who)
        },
        EntryPoint("evidence", .readAudit) { _ = try await $0.instance.archivalEvidence(by: $1) { _ in } },
        EntryPoint("signed evidence", .readAudit) { site, who in
            guard !who.isAllowed(.readAudit) else { return }
            _ = try await site.authority.evidenceStatement(.init(), listSHA256: [], by: who)
        },
        EntryPoint("sign the head", .signAuditHead) { site, who in
            guard !who.isAllowed(.signAuditHead) else { return }
            _ = try await site.authority.signAuditHead(by: who)
        },
    ]

    private static func noParent() throws -> CertsrvClient {
        try CertsrvClient(
            url: "https://127.0.0.1:1/certsrv", credentials: nil, trust: HTTPTrust(certificatesPath: nil))
    }
}

extension SweepSite {
    var instance: Instance { self.authority.instance }

    /// A request that was never one, in that state.
    fileprivate func row(_ disposition: Disposition) async throws -> Int64 {
        let row = RequestRecord(
            type: .pkcs10, rawRequest: [0x30, 0], attributes: "", requesterName: SweepSite.alice.name,
            templateName: nil, subject: "",
            submittedWhen: self.instance.surroundings.now(), disposition: disposition)
        return try await self.instance.storage.write { try $0.insert(row) }
    }
}

extension RequestColumn {
    fileprivate static func rawCertificate() throws -> RequestColumn {
        guard let column = RequestColumn.all.first(where: { $0.name == "RawCertificate" }) else {
            throw SweepError.notIssued(.error)
        }
        return column
    }
}

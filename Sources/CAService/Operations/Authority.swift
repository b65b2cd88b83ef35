package import CertificateAuthority
import Foundation
import KeyArchival
import KeyProvider
import PKIMessages

/// An instance that can issue: certificate in place, archival and publication attached. Tokens are opened when an
/// operation first needs them.
package struct Authority: Sendable {
    package let instance: Instance
    package let authority: CertificationAuthority
    let agents: KRASelection
    let archiver: TokenKeyArchiver
    private let exchangeKeys: ExchangeKeyKeeper

    init(instance: Instance, certificates: [CACertificateRecord]) throws {
        self.instance = instance
        let configuration = instance.configuration
        let exchangeToken = instance.lazyToken(named: configuration.exchangeToken)
        self.agents = try KRASelection(
            storage: instance.storage,
            check: KRACertificateCheck(
                issuers: certificates.filter { $0.use == .own }.map {
                    try CertificateFields(derEncoded: $0.certificateDER)
                },
                foreign: configuration.archival.trustedAgents.map {
                    SignerTrustDirectory(path: FilePaths.resolve($0, in: instance.directory))
                }),
            count: configuration.archival.recoveryAgents, surroundings: instance.surroundings)
        // No token is opened before the first key comes: an agent's certificate is judged by the database.
        self.archiver = TokenKeyArchiver(
            exchangeToken: { try await instance.exchangeToken(holding: $0) }, storage: instance.storage,
            agents: self.agents, settings: ArchivalSettings(configuration.archival),
            surroundings: instance.surroundings)
        self.authority = try CertificationAuthority(
            configuration: CAConfiguration(
                instance: configuration, largeListDirectory: instance.layout.largeListDirectory),
            signingKeys: try instance.signingKeys(of: certificates), certificates: certificates,
            storage: instance.storage, templates: try instance.enabledTemplates(),
            policy: configuration.policy.policyModule(),
            directory: DirectoryFile(path: instance.layout.requesterDirectoryPath),
            archiver: self.archiver,
            signerTrust: configuration.requests.trustedSigners.map {
                SignerTrustDirectory(path: FilePaths.resolve($0, in: instance.directory))
            }, weakKeys: try configuration.lint.weakKeys(in: instance.directory), surroundings: instance.surroundings)
        self.exchangeKeys = ExchangeKeyKeeper(
            instance: instance, authority: self.authority, token: exchangeToken)
    }

    /// Whoever runs a local command on the instance.
    package func localOperator() async throws -> Principal {
        try await self.instance.localOperator()
    }

    package func submit(_ submission: EnrollmentSubmission) async throws -> EnrollmentResult {
        try await self.authority.submit(submission)
    }

    package func result(ofRequest id: Int64, for caller: Principal) async throws -> EnrollmentResult {
        try await self.authority.result(ofRequest: id, for: caller, response: .certificateOnly)
    }

    package func approve(request id: Int64, by who: Principal) async throws -> EnrollmentResult {
        try await self.authority.approve(request: id, by: who)
    }

    package func deny(request id: Int64, by who: Principal) async throws -> EnrollmentResult {
        try await self.authority.deny(request: id, by: who)
    }

    /// The same for somebody who asks: when none is valid, a new key is made.
    ///
    /// - Throws: `RequestError` without a role that may.
    package func exchangeCertificate(for who: Principal) async throws -> ExchangeCertificateRecord {
        try who.mustBeAllowed(.getExchangeCertificate, to: "get the CA exchange certificate")
        return try await self.exchangeKeys.current()
    }

    package func currentExchangeCertificate() async throws -> ExchangeCertificateRecord {
        try await self.exchangeKeys.current()
    }

    /// Makes the next exchange key, because the one in place is on another token.
    func renewExchangeCertificate(by who: Principal) async throws -> ExchangeCertificateRecord {
        try who.mustBeAllowed(.manageCACertificates, to: "renew the CA exchange certificate")
        return try await self.exchangeKeys.renew()
    }

    /// Closes what a crash left open; to be called once when the service starts.
    package func settleInterruptedWork() async throws -> [SettledWork] {
        try await self.authority.settleInterruptedWork()
    }
}

extension Instance {
    /// Settles at once what a process that has ended left behind, unless the caller does so itself and tells of it.
    ///
    /// - Parameter use: what for. Without a valid certificate a CA signs nothing, and its records stay open to it.
    /// - Throws: ``ServiceError`` with code `notInstalled` while the CA has no certificate; to sign, what
    ///   ``CACertificateExamination/check(revocationLists:at:)`` throws.
    package func authority(for use: AuthorityUse = .signing, settling: Bool = true) async throws -> Authority {
        let records = try await self.storage.read { try $0.caCertificates() }
        return try await self.authority(with: records, for: use, settling: settling)
    }

    /// - Parameter records: all CA certificates of the database.
    func authority(
        with records: [CACertificateRecord], for use: AuthorityUse = .signing, settling: Bool
    ) async throws -> Authority {
        guard records.contains(where: { $0.use == .own && $0.locator != nil }) else {
            throw ServiceError.notInstalled(self.configuration.name)
        }
        if use == .signing {
            let examination = try CACertificateExamination(records)
            try examination.check(
                revocationLists: self.revocationListsAtHand(of: examination.path), at: self.surroundings.now())
        }
        let authority = try Authority(instance: self, certificates: records)
        let isWorkOpen = try await self.storage.read {
            try !$0.openIntents().isEmpty || !$0.requests(with: .active, limit: 1).isEmpty
        }
        if settling, isWorkOpen { _ = try await authority.settleInterruptedWork() }
        return authority
    }

    func lazyToken(named name: String) -> LazyToken {
        LazyToken { try await self.token(named: name) }
    }
}

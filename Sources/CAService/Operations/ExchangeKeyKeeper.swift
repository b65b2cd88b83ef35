import CertificateAuthority
import Foundation
import KeyProvider

/// Keeps a CA exchange certificate that is valid for at least another day, making key and certificate when needed.
actor ExchangeKeyKeeper {
    /// When this is left, the next one is made (MS-WCCE: overlap one day).
    private static let overlap: TimeInterval = 86_400

    private let instance: Instance
    private let authority: CertificationAuthority
    private let token: LazyToken

    init(instance: Instance, authority: CertificationAuthority, token: LazyToken) {
        self.instance = instance
        self.authority = authority
        self.token = token
    }

    /// The newest one. Two callers at once get the same: the second waits for the first.
    func current() async throws -> ExchangeCertificateRecord {
        if let making = self.making { return try await making.value }
        let now = self.instance.surroundings.now()
        let newest = try await self.instance.storage.read { try $0.exchangeCertificates().first }
        if let newest, newest.notBefore <= now, newest.notAfter > now + ExchangeKeyKeeper.overlap { return newest }
        if let making = self.making { return try await making.value }
        let task = Task { try await self.make() }
        self.making = task
        defer { self.making = nil }
        return try await task.value
    }

    private var making: Task<ExchangeCertificateRecord, any Error>?

    private func make() async throws -> ExchangeCertificateRecord {
        let token = try await self.token.token()
        let pair = try await token.generateKeyPair(
            KeyPairSpecification(
                algorithm: self.instance.configuration.exchangeKeyAlgorithm, role: .exchange,
                label: self.instance.configuration.name + "-Xchg", certificateBytes: 0))
        do {
            try await self.instance.record(.keyGenerated, by: .service, details: pair.auditDetails(on: token))
            return try await self.authority.issueExchangeCertificate(keyPair: pair)
        } catch {
            throw await token.discarding(pair, after: error)
        }
    }
}

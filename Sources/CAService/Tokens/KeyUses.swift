package import CertificateAuthority
import Diagnostics
import Foundation
package import KeyProvider
import PKIMessages

/// A key pair on a token, and who refers to it.
package struct KeyUse: Sendable {
    package let pair: TokenKeyPair
    /// A clause each; empty when this instance does not know the key.
    package let uses: [String]
    /// Set for a key of an exchange certificate that no request and no archive needs any more.
    package let retirable: ExchangeCertificateRecord?
}

extension Instance {
    /// Every key pair on a token of this instance, with what refers to it: CA certificates, a CA key that waits for its
    /// certificate, exchange certificates, the service's TLS certificate.
    package func keyUses(on token: any KeyToken, for who: Principal) async throws -> [KeyUse] {
        try who.mustBeAllowed(.readConfiguration, to: "list what refers to the keys of a token")
        return try await self.keyUses(on: token)
    }

    func keyUses(on token: any KeyToken) async throws -> [KeyUse] {
        let references = try await KeyReferences(self)
        return try await token.keyPairs().map { pair in references.use(of: pair) }
    }

    /// Removes the key pair of an old exchange certificate. The audit trail knows before the token does.
    ///
    /// - Throws: ``ServiceError`` with code `keyStillNeeded` when it is not one that may go, checked again now.
    package func retire(_ key: KeyLocator, on token: any KeyToken, by who: Principal) async throws {
        try who.mustBeAllowed(.manageCACertificates, to: "retire a key")
        try await self.retireUnneeded(key, on: token, by: who)
    }

    /// Exchange certificates that ended so long ago that their keys may go, and have not gone yet.
    func outdatedExchangeCertificates() async throws -> [ExchangeCertificateRecord] {
        let limit = self.surroundings.now().addingTimeInterval(-self.configuration.exchange.keep.timeInterval)
        return try await self.storage.read { try $0.exchangeCertificates() }
            .filter { $0.retiredWhen == nil && $0.notAfter < limit }
    }

    func retireUnneeded(_ key: KeyLocator, on token: any KeyToken, by who: Principal) async throws {
        let references = try await KeyReferences(self)
        let pair = try await token.keyPair(key)
        let use = references.use(of: pair)
        guard let certificate = use.retirable else { throw ServiceError.keyStillNeeded(pair.label, uses: use.uses) }
        var details = pair.auditDetails(on: token)
        details["ExchangeRequest"] = String(certificate.requestID)
        try await self.record(.keyRetired, by: who, details: details)
        do {
            try await token.removeKeyPair(key)
            let now = self.surroundings.now()
            try await self.storage.write {
                try $0.setRetired(exchangeCertificateOfRequest: certificate.requestID, at: now)
            }
        } catch {
            details["Error"] = ErrorReport(error).headline
            try await self.record(.tokenFailure, by: who, details: details)
            throw error
        }
    }
}

/// What the database and the configuration of an instance refer to.
private struct KeyReferences {
    /// Reasons by SHA-256 of the public key.
    private var reasons: [[UInt8]: [String]] = [:]
    private var retirable: [[UInt8]: ExchangeCertificateRecord] = [:]

    init(_ instance: Instance) async throws {
        let now = instance.surroundings.now()
        let (authorities, exchange, waiting) = try await instance.storage.read { storage in
            (
                try storage.caCertificates(), try storage.exchangeCertificates(),
                try storage.requests(with: .pending, limit: .max) + storage.requests(with: .active, limit: .max)
            )
        }
        for authority in authorities {
            if let locator = authority.locator {
                self.add("CA certificate \(authority.index)", locator.publicKeySHA256)
            }
        }
        if let waiting = try await PendingAuthorityKey.load(from: instance.storage)?.locator {
            self.add("CA key that waits for its certificate", waiting.publicKeySHA256)
        }
        for (position, record) in exchange.enumerated() {
            self.add(
                record, isNewest: position == 0, waiting: waiting, now: now,
                keep: instance.configuration.exchange.keep.timeInterval)
        }
        try self.addTLSKey(of: instance)
    }

    /// A key is kept while its certificate is the newest or valid, because requesters may still send keys encrypted to it,
    /// and while a request of its time is not answered. Archived keys do not need it: they are encrypted to the agents.
    private mutating func add(
        _ record: ExchangeCertificateRecord, isNewest: Bool, waiting: [RequestRecord], now: Date, keep: TimeInterval
    ) {
        let key = record.locator.publicKeySHA256
        if isNewest { self.add("newest exchange certificate", key) }
        if record.notAfter > now {
            self.add("exchange certificate that is valid until \(record.notAfter.formatted(.iso8601))", key)
        } else if record.notAfter.addingTimeInterval(keep) > now {
            let end = record.notAfter.addingTimeInterval(keep).formatted(.iso8601)
            self.add("exchange certificate that is kept until \(end)", key)
        }
        for request in waiting
        where (record.notBefore...max(record.notBefore, record.notAfter)).contains(request.submittedWhen) {
            self.add("request \(request.requestID), which is not answered, may have a key encrypted to it", key)
        }
        if self.reasons[key] == nil { self.retirable[key] = record }
    }

    private mutating func addTLSKey(of instance: Instance) throws {
        guard let tls = instance.configuration.web.tls, case .token = tls.key else { return }
        let path = FilePaths.resolve(tls.certificate, in: instance.directory)
        guard let certificate = try CertificateBundle.parse(FilePaths.read(path)).first else { return }
        self.add("TLS certificate of the service", Digest.sha256.hash(certificate.subjectPublicKeyInfo.derBytes))
    }

    private mutating func add(_ reason: String, _ publicKeySHA256: [UInt8]) {
        self.reasons[publicKeySHA256, default: []].append(reason)
        self.retirable[publicKeySHA256] = nil
    }

    func use(of pair: TokenKeyPair) -> KeyUse {
        let key = pair.locator.publicKeySHA256
        let retirable = self.reasons[key] == nil ? self.retirable[key] : nil
        let uses = self.reasons[key] ?? (retirable == nil ? [] : ["exchange certificate that nothing needs any more"])
        return KeyUse(pair: pair, uses: uses, retirable: retirable)
    }
}

extension ServiceError {
    static func keyStillNeeded(_ label: String, uses: [String]) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "keyStillNeeded"),
            headline: uses.isEmpty
                ? "The key \"\(label)\" is not one of this instance's exchange keys."
                : "The key \"\(label)\" is still needed.",
            hresult: .accessDenied, facts: uses.map { Fact("needed by", $0) },
            advice: ["Look at the keys and who needs them with `signet token capacity --instance DIR`."])
    }
}

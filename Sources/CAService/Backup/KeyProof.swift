import CertificateAuthority
package import Diagnostics
import Foundation
import KeyProvider
import PKIMessages
import SecretMemory

/// What became of a key that a restored CA needs.
package struct RestoredKey: Sendable {
    package enum State: String, Sendable {
        /// It has just worked.
        case proven
        /// It is not offered: a CA key is stopped, an exchange key is retired.
        case failed
    }

    package var name: String
    package var reference: String
    /// Lower-case hexadecimal.
    package var publicKeySHA256: String
    package var state: State
    /// Why it failed.
    package var report: ErrorReport?
}

/// Finds every key of an instance on the tokens of its configuration, under its locator or by its public key under another
/// one, and has it work once. A key that does not is not offered (Q235964).
struct KeyProof {
    let instance: Instance
    let purpose: String
    /// Where uses of the CA keys are booked; `nil` for the instance's own database.
    var ledger: (any CAStorage)?

    func run() async throws -> [RestoredKey] {
        let (certificates, exchange) = try await self.instance.storage.read {
            (try $0.ownCACertificates(), try $0.exchangeCertificates())
        }
        guard !certificates.isEmpty else { return [] }
        let tokens = await self.openTokens()
        var found: [[UInt8]: Found] = [:]
        for (name, token) in tokens {
            // What cannot be listed has no key here; that is told of the key.
            for pair in (try? await token.keyPairs()) ?? [] {
                found[pair.locator.publicKeySHA256] = Found(tokenName: name, token: token, pair: pair)
            }
        }
        for record in certificates.compactMap(\.locator) + exchange.filter({ $0.retiredWhen == nil }).map(\.locator) {
            guard let pair = found[record.publicKeySHA256]?.pair, pair.locator.reference != record.reference,
                try await !self.isThere(record, tokens)
            else { continue }
            try await self.instance.storage.write {
                try $0.setReference(pair.locator.reference, ofKey: record.publicKeySHA256)
            }
        }
        var keys = try await self.proveAuthorityKeys()
        for record in exchange where record.retiredWhen == nil {
            keys.append(try await self.prove(record, found[record.locator.publicKeySHA256]))
        }
        return keys
    }

    private struct Found {
        let tokenName: String
        let token: any KeyToken
        let pair: TokenKeyPair
    }

    /// Those that are there; a key on another one fails by its own name.
    private func openTokens() async -> [(String, any KeyToken)] {
        var tokens: [(String, any KeyToken)] = []
        for name in self.instance.configuration.tokens.keys.sorted() {
            if let token = try? await self.instance.token(named: name) { tokens.append((name, token)) }
        }
        return tokens
    }

    private func isThere(_ locator: KeyLocator, _ tokens: [(String, any KeyToken)]) async throws -> Bool {
        for (_, token) in tokens where (try? await token.keyPair(locator)) != nil { return true }
        return false
    }

    private func proveAuthorityKeys() async throws -> [RestoredKey] {
        let authority = try await self.instance.authority(for: .records, settling: false).authority
        var keys: [RestoredKey] = []
        for signer in authority.signers {
            let locator = signer.signingKey.locator
            var key = RestoredKey(
                name: "CA key \(signer.keyIndex)", reference: locator.reference.uri,
                publicKeySHA256: Hexadecimal.lower(locator.publicKeySHA256), state: .proven)
            do { try await authority.prove(signer, purpose: self.purpose, ledger: self.ledger) } catch {
                let report = ErrorReport(error)
                let stops = StoredKeyStops(storage: self.instance.storage, now: self.instance.surroundings.now)
                _ = try await stops.stop(locator, .notProven, finding: report.headline)
                key.state = .failed
                key.report = report
            }
            keys.append(key)
        }
        return keys
    }

    private func prove(_ record: ExchangeCertificateRecord, _ found: Found?) async throws -> RestoredKey {
        var key = RestoredKey(
            name: "exchange key of request \(record.requestID)",
            reference: (found?.pair.locator ?? record.locator).reference.uri,
            publicKeySHA256: Hexadecimal.lower(record.locator.publicKeySHA256), state: .proven)
        do {
            guard let found else {
                throw ServiceError.keyNotThere(record.locator.reference.uri)
            }
            let challenge = try self.instance.surroundings.randomBytes(32)
            let encrypted = try KeyTransport.encrypt(
                challenge, to: SubjectPublicKeyInfo(derEncoded: found.pair.subjectPublicKeyInfo),
                transport: .pkcs1v15)
            let opened = try await found.token.decrypt(
                encrypted, with: found.pair.locator, transport: .rsaPKCS1v15)
            guard opened.withUnsafeBytes({ Array($0) }) == challenge else {
                throw ServiceError.keyNotThere(record.locator.reference.uri)
            }
        } catch {
            let now = self.instance.surroundings.now()
            try await self.instance.storage.write {
                try $0.setRetired(exchangeCertificateOfRequest: record.requestID, at: now)
            }
            key.state = .failed
            key.report = ErrorReport(error)
        }
        return key
    }
}

extension ServiceError {
    fileprivate static func keyNotThere(_ uri: String) -> ServiceError {
        ServiceError(
            code: .keyNotNamed, headline: "No token of the configuration has a working key \(uri).",
            hresult: .noKeyContainer,
            advice: ["Connect the token, and describe it under `tokens:` in signet.yaml."])
    }
}

public import Diagnostics
internal import KeyProvider
internal import PKCS11

/// The public keys that can be seen on a token by whoever connects it: of its certificates and its public key objects.
public struct PublicKeysOnToken: Sendable {
    public let token: TokenIdentification
    /// SHA-256 of the DER SubjectPublicKeyInfo.
    public let publicKeySHA256: Set<[UInt8]>
}

/// Looks at the tokens behind a module without a PIN.
public struct TokenCensusTaker: Sendable {
    private let modules: ModuleRegistry
    /// One look may not take longer: readers hang.
    private let limit: Duration

    public init(modules: ModuleRegistry, limit: Duration = .seconds(30)) {
        self.modules = modules
        self.limit = limit
    }

    /// Every initialised token that is there now. One that goes away meanwhile, or does not show its objects, has no keys.
    ///
    /// - Throws: ``KeyProviderError``.
    public func look(modulePath: String, initializationString: String?) async throws -> [PublicKeysOnToken] {
        let operation = "look for tokens behind \(modulePath)"
        let calls = DetachedCalls()
        let nobody = TokenIdentification(
            label: "", manufacturer: "", model: "", serialNumber: "?", firmware: "?", slotID: 0)
        do {
            let (modules, limit) = (self.modules, self.limit)
            let slots = try await calls.run(limit: limit, for: nobody) {
                try modules.module(path: modulePath, initializationString: initializationString).slots().filter {
                    TokenCensusTaker.isInitialized($0)
                }
            }
            var found: [PublicKeysOnToken] = []
            for slot in slots {
                guard let keys = try await self.keys(in: slot) else { continue }
                found.append(keys)
            }
            return found
        } catch let error as KeyProviderError {
            throw error
        } catch {
            throw KeyProviderError(
                code: .tokenCallFailed, operation: operation, reason: ErrorReport(error).headline,
                hresult: .unexpected, advice: ErrorReport(error).advice)
        }
    }

    private static func isInitialized(_ slot: Slot) -> Bool {
        // A token that goes away between two calls is not there.
        (try? slot.tokenInfo())?.flags.contains(.tokenInitialized) ?? false
    }

    private func keys(in slot: Slot) async throws -> PublicKeysOnToken? {
        let token: Token
        do { token = try Token(slot: slot, maximumSessions: 1) } catch { return nil }
        let result: Set<[UInt8]>
        do {
            result = try await token.withSession(limit: self.limit) { session in try session.publicKeyHashes() }
        } catch {
            await token.close()
            guard let known = error as? PKCS11Error,
                FailureClass.of(known.returnValue, function: known.function) == .tokenGone
            else { return PublicKeysOnToken(token: token.identification, publicKeySHA256: []) }
            return nil
        }
        await token.close()
        return PublicKeysOnToken(token: token.identification, publicKeySHA256: result)
    }
}

extension Session {
    fileprivate func publicKeyHashes() throws -> Set<[UInt8]> {
        var hashes: Set<[UInt8]> = []
        for object in try self.find(.certificate, id: nil) {
            guard let der = try self.attributes(of: object, .value)[.value],
                // A card may have other certificates that are none of ours to judge.
                let fields = try? CertificateFields(der)
            else { continue }
            hashes.insert(try TokenKeyStore.publicKeySHA256(fields.subjectPublicKeyInfo, operation: "look at a token"))
        }
        for object in try self.find(.publicKey, id: nil) {
            let attributes = try self.attributes(
                of: object, .keyType, .modulus, .publicExponent, .ecParameters, .ecPoint)
            guard let key = SubjectPublicKeyInfo.read(attributes) else { continue }
            hashes.insert(try TokenKeyStore.publicKeySHA256(key.der, operation: "look at a token"))
        }
        return hashes
    }
}

internal import DeviceProfiles
internal import Diagnostics
internal import KeyProvider
internal import PKCS11
internal import Synchronization

/// What an operation that failed half-way may have left on the token.
enum Leftovers: Sendable {
    /// All objects with a `CKA_ID` that was fresh.
    case everything(id: [UInt8])
    /// Certificates with a `CKA_ID`, other than those that were there before.
    case certificates(id: [UInt8], before: Set<[UInt8]>)
    /// A key pair that is not wanted any more, and its certificates; compared with its locator before it is removed,
    /// because that cannot be taken back.
    case keyPair(KeyResolver)

    /// Finds what is there now and removes it: handles from before a failure may be another object's.
    ///
    /// - Throws: ``PKCS11Error``, and of a key pair ``KeyProviderError`` `keyNotFound` and `keyMismatch`.
    func remove(_ session: Session) throws -> Int {
        switch self {
        case .keyPair(let resolver):
            try resolver.mustBeRemovable(session)
            // The private key goes last, so that a removal that stopped half-way finds it again.
            return try session.destroyAll(id: resolver.id)
        case .everything(let id):
            return try session.destroyAll(id: id)
        case .certificates(let id, let before):
            let fresh = try session.certificates(id: id).filter { !before.contains($0.value) }
            for object in fresh.keys { try session.destroyObject(object) }
            return fresh.count
        }
    }
}

extension Leftovers {
    /// True when a key pair is not there, or another one has its `CKA_ID`.
    static func isAbsent(_ error: any Error) -> Bool {
        [.keyNotFound, .keyMismatch].contains((error as? KeyProviderError)?.code)
    }
}

extension TokenKeyStore {
    /// Removes the leftovers and makes the error that is to be thrown: the cause, classified, with what was removed, or
    /// what could not be.
    func rolledBack(_ leftovers: Leftovers, after cause: any Error, operation: String) async -> any Error {
        var error = self.classified(cause, operation: operation)
        do {
            let removed = try await self.remove(leftovers)
            error.facts.append(Fact("objects removed again", String(removed)))
        } catch let failure {
            self.remember(leftovers, in: &error)
            error.facts.append(Fact("roll-back", ErrorReport(failure).headline))
        }
        return error
    }

    /// Removes what an operator or a caller does not want any more.
    func removeForGood(_ leftovers: Leftovers, operation: String) async throws {
        do {
            _ = try await self.remove(leftovers)
        } catch let failure {
            var error = self.classified(failure, operation: operation)
            if !Leftovers.isAbsent(failure) { self.remember(leftovers, in: &error) }
            throw error
        }
    }

    /// What could not be removed now is removed later.
    private func remember(_ leftovers: Leftovers, in error: inout KeyProviderError) {
        error.facts.append(Fact("may remain on the token", self.describe(leftovers)))
        error.advice.append("Bring the token back: what remains is removed before the next key or certificate.")
        self.leftovers.withLock { $0.append(leftovers) }
    }

    /// Removing is reconciled by `CKA_ID`: after a failure what is still there is found again and removed, on the token
    /// that the ladder brings back.
    private func remove(_ leftovers: Leftovers) async throws -> Int {
        var attempt = 1
        while true {
            do {
                return try await self.connection.once(.readWrite, isNew: true, limit: nil, late: nil) { session, _ in
                    try leftovers.remove(session)
                }
            } catch  where attempt > 1 && Leftovers.isAbsent(error) {
                // The attempt before has removed it, and only its answer was lost.
                return 0
            } catch {
                guard attempt < 3, self.connection.setback(error)?.rungs != nil else { throw error }
                attempt += 1
            }
        }
    }

    /// Removes what could not be removed when it was made.
    func removeLeftovers() async throws {
        let pending = self.leftovers.withLock { $0 }
        for leftovers in pending {
            do {
                _ = try await self.withSession(.readWrite, isNew: true, operation: "remove what a failure left") {
                    try leftovers.remove($0)
                }
            } catch  where Leftovers.isAbsent(error) {
                // It is gone already.
            }
            self.leftovers.withLock { if !$0.isEmpty { $0.removeFirst() } }
        }
    }

    private func describe(_ leftovers: Leftovers) -> String {
        switch leftovers {
        case .everything(let id): "objects with CKA_ID \(TokenKeyStore.hex(id))"
        case .certificates(let id, _): "a certificate with CKA_ID \(TokenKeyStore.hex(id))"
        case .keyPair(let resolver): resolver.uri.description
        }
    }

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func translated(_ error: any DiagnosableError, _ operation: String) -> KeyProviderError {
        KeyProviderError.of(error, operation: operation, profile: self.profile) as? KeyProviderError
            ?? .malformedResult(operation: operation, reason: error.headline)
    }

    private func classified(_ cause: any Error, operation: String) -> KeyProviderError {
        switch cause {
        case let error as KeyProviderError: error
        case let error as PKCS11Error:
            self.profile.capacity.meansFull(error)
                ? .tokenFull(error, operation: operation, profile: self.profile)
                : self.translated(error, operation)
        case let error as TokenWaitError: self.translated(error, operation)
        case let fault as SigningFault: fault.error(operation: operation)
        default:
            KeyProviderError(
                code: .tokenCallFailed, operation: operation, reason: ErrorReport(cause).headline, hresult: .unexpected,
                advice: ErrorReport(cause).advice)
        }
    }
}

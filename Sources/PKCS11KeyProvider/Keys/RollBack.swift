internal import DeviceProfiles
internal import Diagnostics
internal import KeyProvider
internal import PKCS11

/// What an operation that failed half-way may have left on the token.
enum Leftovers: Sendable {
    /// All objects with a `CKA_ID` that was fresh.
    case everything(id: [UInt8])
    /// Certificates with a `CKA_ID`, other than those that were there before.
    case certificates(id: [UInt8], before: Set<ObjectHandle>)
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
            error.facts.append(Fact("may remain on the token", self.describe(leftovers)))
            error.facts.append(Fact("roll-back", ErrorReport(failure).headline))
            error.advice.append("Remove the objects with this CKA_ID from the token by its own tool.")
        }
        return error
    }

    private func remove(_ leftovers: Leftovers) async throws -> Int {
        try await self.token.withSession(.readWrite, isNew: true) { session in
            switch leftovers {
            case .everything(let id):
                return try session.destroyAll(id: id)
            case .certificates(let id, let before):
                let fresh = try session.find(.certificate, id: id).filter { !before.contains($0) }
                for object in fresh { try session.destroyObject(object) }
                return fresh.count
            }
        }
    }

    private func describe(_ leftovers: Leftovers) -> String {
        switch leftovers {
        case .everything(let id): "objects with CKA_ID \(TokenKeyStore.hex(id))"
        case .certificates(let id, _): "a certificate with CKA_ID \(TokenKeyStore.hex(id))"
        }
    }

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func classified(_ cause: any Error, operation: String) -> KeyProviderError {
        switch cause {
        case let error as KeyProviderError: error
        case let error as PKCS11Error:
            self.profile.capacity.meansFull(error)
                ? .tokenFull(error, operation: operation, log: self.profile.capacity.full.log.value)
                : .token(error, operation: operation)
        default:
            KeyProviderError(
                code: .tokenCallFailed, operation: operation, reason: ErrorReport(cause).headline, hresult: .unexpected,
                advice: ErrorReport(cause).advice)
        }
    }
}

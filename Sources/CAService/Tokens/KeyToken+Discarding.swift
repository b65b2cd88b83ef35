import Diagnostics
package import KeyProvider

extension KeyToken {
    /// Removes a key pair because what it was made for has failed.
    ///
    /// - Returns: the error to throw: the cause, and where the key could not be removed also what may be left.
    package func discarding(_ pair: TokenKeyPair, after cause: any Error) async -> any Error {
        do {
            try await self.removeKeyPair(pair.locator)
            return cause
        } catch {
            let report = ErrorReport(cause)
            return ServiceError(
                code: .keyLeftBehind, headline: report.headline, hresult: report.hresult,
                tokenFailure: report.tokenFailure,
                facts: report.facts + [
                    Fact("may remain on the token", pair.locator.reference.uri),
                    Fact("removal", ErrorReport(error).headline),
                ],
                advice: report.advice + ["Bring the token back, and remove the key that nothing refers to."])
        }
    }
}

import CertificateAuthority
import DeviceProfiles
import Diagnostics
import KeyProvider

extension Instance {
    /// Why the CA's key is not written into a file, and what its device offers instead.
    ///
    /// - Parameters:
    ///   - file: where somebody wanted it.
    ///   - keys: the references of those that may not leave their tokens; all of the CA's when `nil`.
    func keyLeavesNoToken(file: String, keys: [String]? = nil) async throws -> ServiceError {
        let records = try await self.storage.read { try $0.ownCACertificates() }
        return .keyLeavesNoToken(
            file, keys: keys ?? Set(records.compactMap { $0.locator?.reference.uri }).sorted(),
            offers: await self.makersOffer())
    }

    /// How the maker of the signing token has keys copied, as its profile says.
    func makersOffer() async -> String? {
        guard let token = self.configuration.tokens[self.configuration.signingToken] else { return nil }
        return await self.tokens.knownProfile(of: token)?.lifecycle.keyBackup.value
    }
}

extension ServiceError {
    /// A key of a CA is generated or imported so that no module gives it away, unless somebody has decided otherwise then.
    static func keyLeavesNoToken(_ file: String, keys: [String], offers: String?) -> ServiceError {
        var facts = keys.map { Fact("key", $0) } + [Fact("wanted in", file)]
        if let offers { facts.append(Fact("the device's maker offers", offers)) }
        return ServiceError(
            code: Code(rawValue: "keyLeavesNoToken"),
            headline: "The key of the CA may not leave its token, and is never in a file.",
            hresult: .badKeyState, facts: facts,
            advice: [
                """
                Decide before a key is made whether a second token may have a copy: `signet init ... --copyable-key`, then \
                `signet backup keys`; and before that of a software CA is imported whether it may be in a PKCS #12 again: \
                `signet init ... --import-pkcs12 FILE --extractable`.
                """,
                """
                Back the key up with the means of the device's maker, and prove the copy with \
                `signet backup verify --scratch DIR --spare-token NAME=FILE`.
                """,
                "Back the database up with `signet backup create`, which notes the keys that the CA needs.",
            ])
    }

    static func noSuchKey(_ keyIndex: Int?, of authority: String) -> ServiceError {
        ServiceError(
            code: .keyNotNamed,
            headline: keyIndex.map { "The CA \"\(authority)\" has no key \($0)." }
                ?? "The CA \"\(authority)\" has no key with a certificate.",
            hresult: .badKeyset, advice: ["Take the number of a key from `signet ca show`."])
    }

    static func keyFileNotWhole() -> ServiceError {
        ServiceError(
            code: .notWritten, headline: "The PKCS #12 that was made does not have all of the keys.",
            hresult: .unexpected, advice: ["Nothing was written. Try again, with another password."])
    }
}

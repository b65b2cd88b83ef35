internal import Diagnostics
internal import KeyProvider
internal import PKCS11
internal import Synchronization

/// One generation of a token: its sessions, and the handles that are good in them. Handles are never carried into the
/// next generation, because a stale handle can name another key.
final class LiveToken: Sendable {
    let number: Int
    let token: Token
    private let handles = Mutex<[KeyLocator: PrivateKeyObject]>([:])

    init(number: Int, token: Token) {
        self.number = number
        self.token = token
    }

    func cached(_ locator: KeyLocator) -> PrivateKeyObject? { self.handles.withLock { $0[locator] } }

    func remember(_ key: PrivateKeyObject, _ locator: KeyLocator) { self.handles.withLock { $0[locator] = key } }

    func forget(_ locator: KeyLocator) { self.handles.withLock { $0[locator] = nil } }

    /// The key's cached handle, or the one that is found now.
    func resolve(_ resolver: KeyResolver, _ session: Session) throws -> PrivateKeyObject {
        if let cached = self.cached(resolver.locator) { return cached }
        do {
            let found = try resolver.find(session)
            self.remember(found, resolver.locator)
            return found
        } catch let error as KeyProviderError where error.code == .keyNotFound {
            try self.requireLogin(session)
            throw error
        }
    }

    /// Private keys are invisible to who is not logged in, and no call fails: a search that finds nothing has to ask.
    ///
    /// - Throws: ``PKCS11Error`` with `CKR_USER_NOT_LOGGED_IN`.
    func requireLogin(_ session: Session) throws(PKCS11Error) {
        guard self.token.info.flags.contains(.loginRequired), try !session.isLoggedIn() else { return }
        throw PKCS11Error(
            returnValue: .userNotLoggedIn, function: "C_FindObjects", token: self.token.identification)
    }
}

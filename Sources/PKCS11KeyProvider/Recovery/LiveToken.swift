internal import Diagnostics
internal import KeyProvider
internal import PKCS11
internal import Synchronization

/// One generation of a token: its sessions, and the handles that are good in them. Handles are never carried into the
/// next generation, because a stale handle can name another key.
final class LiveToken: Sendable {
    let number: Int
    let token: Token
    /// The token's sessions that this generation has; work with its handles is refused in later ones.
    let epoch: Int
    /// A token has few keys in use: comparing them, hash first, costs less than a dictionary's hashing of locators.
    private let handles = Mutex<[(locator: KeyLocator, key: PrivateKeyObject)]>([])

    init(number: Int, token: Token) {
        self.number = number
        self.token = token
        self.epoch = token.epoch
    }

    func cached(_ locator: KeyLocator) -> PrivateKeyObject? {
        self.handles.withLock { handles in handles.first { $0.locator.isSame(as: locator) }?.key }
    }

    /// What signing needs of ``cached(_:)``.
    func usable(_ locator: KeyLocator) -> UsableKey? {
        self.handles.withLock { handles in
            // By index: the elements are compared where they are, and not copied, which would count references that all
            // threads share.
            for index in handles.indices where handles[index].locator.isSame(as: locator) {
                return handles[index].key.usable
            }
            return nil
        }
    }

    func remember(_ key: PrivateKeyObject, _ locator: KeyLocator) {
        self.handles.withLock { handles in
            handles.removeAll { $0.locator.isSame(as: locator) }
            handles.append((locator, key))
        }
    }

    func forget(_ locator: KeyLocator) { self.handles.withLock { $0.removeAll { $0.locator.isSame(as: locator) } } }

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

extension KeyLocator {
    /// Equality, by what differs soonest.
    fileprivate func isSame(as other: KeyLocator) -> Bool {
        self.publicKeySHA256 == other.publicKeySHA256 && self.reference == other.reference
    }
}

internal import Diagnostics
internal import KeyProvider
internal import PKCS11

/// Finds the one token that a URI names.
struct TokenFinder {
    let uri: PKCS11URI

    /// - Throws: ``KeyProviderError`` `tokenNotFound` with the tokens that are present, or `tokenAmbiguous`.
    func slot(in module: Module) throws -> Slot {
        let libraryFits = try self.uri.matches(module.info())
        var present: [TokenIdentification] = []
        var fitting: [(slot: Slot, token: TokenIdentification)] = []
        for slot in try module.slots() {
            guard let info = try self.info(of: slot) else { continue }
            // SoftHSM and others offer an empty token that waits to be initialised.
            guard info.flags.contains(.tokenInitialized) else { continue }
            present.append(info.identification)
            if libraryFits, self.uri.matches(info.identification), try self.uri.matches(slot.info()) {
                fitting.append((slot, info.identification))
            }
        }
        guard let first = fitting.first else { throw KeyProviderError.tokenNotFound(self.uri, present: present) }
        guard fitting.count == 1 else {
            throw KeyProviderError.tokenAmbiguous(self.uri, fitting: fitting.map(\.token))
        }
        return first.slot
    }

    /// The slot that has this very token now: same manufacturer, model, serial number and label. Looking through the
    /// slots also makes modules see a token that came back (seen with OpenSC: the old session fails until then).
    static func slot(of token: TokenIdentification, in module: Module) throws -> Slot {
        var uri = PKCS11URI()
        uri.manufacturer = token.manufacturer
        uri.model = token.model
        uri.serial = token.serialNumber
        uri.token = token.label
        do {
            return try TokenFinder(uri: uri).slot(in: module)
        } catch let error as KeyProviderError where error.code == .tokenNotFound {
            var removed = error
            removed.code = .tokenRemoved
            removed.hresult = .removedCard
            removed.reason = "it is in no slot"
            removed.failureClass = .tokenGone
            throw removed
        }
    }

    /// The initialised tokens that are there.
    func present(in module: Module) throws(PKCS11Error) -> [TokenIdentification] {
        var present: [TokenIdentification] = []
        for slot in try module.slots() {
            if let info = try self.info(of: slot), info.flags.contains(.tokenInitialized) {
                present.append(info.identification)
            }
        }
        return present
    }

    /// `nil` for a slot whose token has gone meanwhile or is not one that the module knows: another token may fit.
    private func info(of slot: Slot) throws(PKCS11Error) -> TokenInfo? {
        do throws(PKCS11Error) {
            return try slot.tokenInfo()
        } catch {
            guard [.tokenNotPresent, .tokenNotRecognized, .deviceRemoved].contains(error.returnValue) else {
                throw error
            }
            return nil
        }
    }
}

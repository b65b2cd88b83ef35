internal import DeviceProfiles
internal import PKCS11

/// What an object takes on a token, as far as the token tells: by its free memory, or else by the sizes that it gives of
/// its objects.
struct StoredSize: Sendable {
    private struct Memory: Equatable {
        let publicBytes: UInt
        let privateBytes: UInt

        /// - Returns: `nil` when the token does not tell.
        init?(_ info: TokenInfo?) {
            guard let publicBytes = info?.freePublicMemory, let privateBytes = info?.freePrivateMemory else {
                return nil
            }
            self.publicBytes = publicBytes
            self.privateBytes = privateBytes
        }
    }

    private let slot: Slot
    private let before: Memory?

    /// To be made before the object is.
    init(on token: Token) {
        self.slot = token.slot
        // A token that does not tell of itself is one whose objects have sizes that nobody knows.
        self.before = Memory(try? token.slot.tokenInfo())
    }

    /// Bytes that new objects have taken; `nil` when the token does not tell.
    func bytes(of objects: [ObjectHandle], in session: Session) -> (bytes: Int, isByMemory: Bool)? {
        if let before = self.before, let after = Memory(try? self.slot.tokenInfo()), before != after {
            guard before.publicBytes >= after.publicBytes, before.privateBytes >= after.privateBytes else { return nil }
            let (open, hidden) = (before.publicBytes - after.publicBytes, before.privateBytes - after.privateBytes)
            // One memory for both is reported twice.
            return Int(exactly: open == hidden ? open : open + hidden).map { ($0, true) }
        }
        // SoftHSM tells -1 and NSS 0.
        let sizes = objects.compactMap { try? session.objectSize(of: $0) }.filter { $0 > 0 }
        guard sizes.count == objects.count else { return nil }
        return Int(exactly: sizes.reduce(0, +)).map { ($0, false) }
    }
}

extension TestKeyKind {
    /// As profiles name it; `nil` for Ed25519.
    var algorithm: KeyPairAlgorithm? {
        if let bits = self.modulusBits { return .rsa(modulusBits: bits) }
        switch self {
        case .signingP256: return .p256
        case .signingP384: return .p384
        case .signingP521: return .p521
        default: return nil
        }
    }
}

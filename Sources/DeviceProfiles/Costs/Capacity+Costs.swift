/// The cost model: what the profile says that an object takes. Pure functions; whoever counts, counts for himself.
/// `nil` is "unknown" everywhere.
extension DeviceProfile.Capacity {
    /// Bytes that objects can use: the total less what is reserved. `nil` where there is no number.
    public var usableBytes: Int? {
        guard case .bytes(let total)? = self.bytes.value, let reserved = self.reserved.value else { return nil }
        return total - reserved
    }

    /// Bytes for both halves of a key pair.
    public func cost(ofKeyPair algorithm: KeyPairAlgorithm) -> Int? {
        self.pairCosts[algorithm]?.value
    }

    /// Bytes for the public half: its SubjectPublicKeyInfo, but never more than the pair.
    public func cost(ofPublicKey algorithm: KeyPairAlgorithm) -> Int? {
        self.cost(ofKeyPair: algorithm).map { min($0, algorithm.subjectPublicKeyInfoBytes) }
    }

    /// Bytes for the private half: what the pair takes beside the public half.
    public func cost(ofPrivateKey algorithm: KeyPairAlgorithm) -> Int? {
        guard let pair = self.cost(ofKeyPair: algorithm), let publicHalf = self.cost(ofPublicKey: algorithm) else {
            return nil
        }
        return pair - publicHalf
    }

    /// Bytes for an object other than half of a key pair, with a content of `bytes`.
    public func cost(of object: StoredObject, bytes: Int) -> Int? {
        self.headers[object]?.value.map { $0 + bytes }
    }

    /// Bytes for a certificate whose DER encoding has `bytes`.
    public func cost(ofCertificate bytes: Int) -> Int? {
        self.cost(of: .certificate, bytes: bytes)
    }

    /// How many entries a directory file holds.
    public func entries(in directory: Directory) -> Limit? {
        switch self.directories[directory]?.value {
        case .unlimited?: return .unlimited
        case .atMost(let size)?:
            guard let entry = self.directoryEntries[directory]?.value else { return nil }
            return entry == 0 ? .unlimited : .atMost(size / entry)
        case nil: return nil
        }
    }
}

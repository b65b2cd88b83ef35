import PKIMessages

/// One thing that is wrong with an audit chain, or with what it says of the CA key's uses.
package struct AuditFinding: Sendable, Equatable, Codable, CustomStringConvertible {
    package enum Kind: String, Sendable, Codable {
        /// An entry was changed, moved, removed or put in: it does not follow from the one before.
        case chainBroken = "chain-broken"
        /// The chain ends before a head that was signed, or before one that was expected.
        case chainCut = "chain-cut"
        /// A signed or expected head is not that of the chain.
        case headMismatch = "head-mismatch"
        /// A signed head's signature is not the CA's.
        case headSignature = "head-signature"
        /// Entries after the last signed head, where all were to be signed.
        case notSigned = "not-signed"
        /// The CA key was used for something that is not there.
        case useWithoutObject = "use-without-object"
        /// Something bears the CA's signature that the ledger does not know.
        case objectWithoutUse = "object-without-use"
        /// Ledger and chain differ.
        case useWithoutEvent = "use-without-event"
    }

    package var kind: Kind
    /// Of the audit entry, where there is one.
    package var sequence: Int64?
    package var text: String

    package init(_ kind: Kind, sequence: Int64? = nil, _ text: String) {
        self.kind = kind
        self.sequence = sequence
        self.text = text
    }

    package var description: String { "\(self.kind.rawValue): \(self.text)" }
}

/// A head that somebody has kept elsewhere: the anchor against a chain that was cut together with its signed heads.
package struct ExpectedAuditHead: Sendable, Equatable {
    package var sequence: Int64
    package var hash: [UInt8]

    package init(sequence: Int64, hash: [UInt8]) {
        self.sequence = sequence
        self.hash = hash
    }

    /// - Parameter text: `SEQUENCE:HASH`, as `signet audit verify` prints it.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let sequence = Int64(parts[0]), sequence > 0,
            let hash = Hexadecimal.bytes(String(parts[1])), hash.count == 32
        else { return nil }
        self.init(sequence: sequence, hash: hash)
    }
}

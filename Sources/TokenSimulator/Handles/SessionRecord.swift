internal import CPKCS11
internal import Glibc

/// A session that the program has.
struct SessionRecord: Sendable {
    /// The handle of the module inside.
    let inner: CK_SESSION_HANDLE
    /// `nil` for a token that no rule is for.
    let card: Card?
    /// The slot for which the program opened it.
    let outerSlot: CK_SLOT_ID
    /// When it was last used, by ``Moment``.
    var lastUse: UInt64
    /// What every call with it gives; `nil` while it is good.
    var stale: CK_RV?
    /// The keys of the operations that are active.
    var keys: [OperationKind: OperationKey] = [:]
    /// Operations that failed on a device that keeps them active then.
    var stuck: Set<OperationKind> = []
}

/// Kinds of operation of which a session has one at a time (PKCS #11 v2.40, sections 5.8 to 5.11; for messages v3.0,
/// sections 5.9, 5.11, 5.14, 5.16).
enum OperationKind: Hashable, Sendable {
    case encrypt, decrypt, digest, sign, signRecover, verify, verifyRecover
    case messageEncrypt, messageDecrypt, messageSign, messageVerify
}

/// The key of an active operation, as far as somebody asked.
struct OperationKey: Hashable, Sendable {
    var subject: KeySubject?
    /// How long the device of the profile takes for it, in milliseconds.
    var latency: Double?
    /// Whether the user has still to log in for it (`CKA_ALWAYS_AUTHENTICATE`).
    var needsLogin = false
    /// Bytes of the order of the curve, where the card encodes signatures of ECDSA in its own way.
    var orderBytes: Int?
}

extension FunctionName {
    /// True for the end of an operation on messages, which uses no key.
    var endsMessages: Bool {
        switch self {
        case .messageEncryptFinal, .messageDecryptFinal, .messageSignFinal, .messageVerifyFinal: true
        default: false
        }
    }

    var operation: OperationKind? {
        switch self {
        case .encryptInit, .encrypt, .encryptUpdate, .encryptFinal: .encrypt
        case .decryptInit, .decrypt, .decryptUpdate, .decryptFinal: .decrypt
        case .digestInit, .digest, .digestUpdate, .digestFinal: .digest
        case .signInit, .sign, .signUpdate, .signFinal: .sign
        case .signRecoverInit, .signRecover: .signRecover
        case .verifyInit, .verify, .verifyUpdate, .verifyFinal: .verify
        case .verifyRecoverInit, .verifyRecover: .verifyRecover
        case .messageEncryptInit, .encryptMessage, .encryptMessageBegin, .encryptMessageNext, .messageEncryptFinal:
            .messageEncrypt
        case .messageDecryptInit, .decryptMessage, .decryptMessageBegin, .decryptMessageNext, .messageDecryptFinal:
            .messageDecrypt
        case .messageSignInit, .signMessage, .signMessageBegin, .signMessageNext, .messageSignFinal: .messageSign
        case .messageVerifyInit, .verifyMessage, .verifyMessageBegin, .verifyMessageNext, .messageVerifyFinal:
            .messageVerify
        default: nil
        }
    }
}

/// Nanoseconds on a clock that only runs forward.
enum Moment {
    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Stands still for a time.
    static func wait(seconds: Double) {
        guard seconds > 0 else { return }
        let end = Moment.now() + UInt64(min(seconds, 1e9) * 1e9)
        while true {
            let now = Moment.now()
            guard now < end else { return }
            let rest = end - now
            var pause = timespec(tv_sec: Int(rest / 1_000_000_000), tv_nsec: Int(rest % 1_000_000_000))
            nanosleep(&pause, nil)  // A signal ends it early; the loop goes on.
        }
    }
}

internal import CPKCS11
internal import DeviceProfiles
internal import Diagnostics

/// Operations that go on over several calls, and what a card wants of them (PKCS #11 v2.40, sections 5.8 to 5.11).
extension Simulation {
    /// A call within an operation, unless the card is in the way.
    ///
    /// - Parameter dataLength: bytes that the call hands to the card.
    func proceed(
        _ function: FunctionName, _ kind: OperationKind, in session: CK_SESSION_HANDLE, isSizeQuery: Bool,
        dataLength: UInt, _ work: (SessionUse) -> CK_RV?
    ) -> CK_RV {
        var isDone = false
        let result = self.call(function, in: session, isSizeQuery: isSizeQuery) { use in
            if let refusal = use.refusal(of: function, kind, isSizeQuery: isSizeQuery, dataLength: dataLength) {
                self.events?.write(function, "refused by the profile: \(refusal)")
                return refusal.rawValue
            }
            isDone = true
            return self.taking(use.latency(of: kind, isSizeQuery: isSizeQuery), use) { work(use) }
        }
        if result != CKR_OK, result != CKR_BUFFER_TOO_SMALL, !isSizeQuery, !kind.isOfMessages {
            self.settle(function, kind, in: session, isDone: isDone)
        }
        return result
    }

    /// A call that fails ends its operation (section 5.11: unless it gives `CKR_BUFFER_TOO_SMALL`), or on a device
    /// that is known for it leaves it active for good. The module inside has ended it if it has seen the call.
    private func settle(
        _ function: FunctionName, _ kind: OperationKind, in session: CK_SESSION_HANDLE, isDone: Bool
    ) {
        let record = self.reader.withState { $0.sessions[session] }
        if let card = record?.card, card.keepsFailedOperations {
            self.reader.withState { _ = $0.sessions[session]?.stuck.insert(kind) }
            self.events?.write(function, "the operation stays active on \(card.name)")
        } else if !isDone, record?.stale == nil, let inner = self.isTracking ? record?.inner : session {
            kind.end(in: inner, self.inner)
        }
    }
}

extension SessionUse {
    /// What the card says before the module inside is asked.
    fileprivate func refusal(
        of function: FunctionName, _ kind: OperationKind, isSizeQuery: Bool, dataLength: UInt
    ) -> ReturnValue? {
        guard let card = self.card else { return nil }
        if dataLength > card.maximumData { return kind.takesCiphertext ? .encryptedDataLenRange : .dataLenRange }
        guard card.asksForEachUse, !isSizeQuery, !function.endsMessages else { return nil }
        let isAsking = self.simulation.reader.withState { $0.sessions[self.outer]?.keys[kind]?.needsLogin ?? false }
        return isAsking ? .userNotLoggedIn : nil
    }

    /// True when an operation failed before on a device that keeps it active then.
    func isStuck(_ function: FunctionName) -> Bool {
        guard self.card?.keepsFailedOperations == true, let kind = function.operation else { return false }
        return self.simulation.reader.withState { $0.sessions[self.outer]?.stuck.contains(kind) ?? false }
    }
}

extension OperationKind {
    var takesCiphertext: Bool { self == .decrypt || self == .messageDecrypt }

    /// True for operations that go on after a message that failed, until their own end (v3.0, section 5.9).
    var isOfMessages: Bool {
        switch self {
        case .messageEncrypt, .messageDecrypt, .messageSign, .messageVerify: true
        default: false
        }
    }

    /// Ends the operation in a module, which has no function for that in v2.40: by calls that nobody has the result of.
    fileprivate func end(in session: CK_SESSION_HANDLE, _ module: CK_FUNCTION_LIST) {
        var data: [UInt8] = [0]
        var output = [UInt8](repeating: 0, count: 1 << 16)
        var length: CK_ULONG = 1 << 16
        switch self {
        case .encrypt:
            _ = module.C_Encrypt?(session, &data, 1, &output, &length)
            length = 1 << 16
            _ = module.C_EncryptFinal?(session, &output, &length)
        case .decrypt:
            _ = module.C_Decrypt?(session, &data, 1, &output, &length)
            length = 1 << 16
            _ = module.C_DecryptFinal?(session, &output, &length)
        case .digest:
            _ = module.C_Digest?(session, &data, 1, &output, &length)
            length = 1 << 16
            _ = module.C_DigestFinal?(session, &output, &length)
        case .sign:
            _ = module.C_Sign?(session, &data, 1, &output, &length)
            length = 1 << 16
            _ = module.C_SignFinal?(session, &output, &length)
        case .verify:
            _ = module.C_Verify?(session, &data, 1, &output, 1)
            _ = module.C_VerifyFinal?(session, &output, 1)
        case .signRecover: _ = module.C_SignRecover?(session, &data, 1, &output, &length)
        case .verifyRecover: _ = module.C_VerifyRecover?(session, &data, 1, &output, &length)
        case .messageEncrypt, .messageDecrypt, .messageSign, .messageVerify: break
        }
    }
}

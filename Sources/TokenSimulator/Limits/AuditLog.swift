internal import DeviceProfiles
internal import Diagnostics

/// A device that writes down what it does, and does nothing more when there is no room to write it.
extension Simulation {
    /// Makes an entry for a call, or says why the device does not go on.
    func recordInLog(_ function: FunctionName, _ use: SessionUse, isSizeQuery: Bool) -> ReturnValue? {
        guard let card = use.card, let limit = card.maximumLogEntries, !isSizeQuery, function.isLogged else {
            return nil
        }
        do {
            let isFull = try self.ledger.withLedger { ledger in
                guard ledger[card.name].logEntries < limit else { return true }
                ledger[card.name].logEntries += 1
                return false
            }
            guard isFull else { return nil }
        } catch {
            Simulator.log(error)  // An entry that cannot be written is none that the device can do without.
        }
        let refusal = card.profile.capacity.full.log.value ?? .deviceMemory
        self.events?.write(function, "the audit log of \(card.name) is full: \(refusal)")
        return refusal
    }
}

extension FunctionName {
    /// True for a call that logs in, or that uses, makes, changes or removes an object.
    var isLogged: Bool {
        switch self {
        case .login, .loginUser, .setPIN, .initPIN, .createObject, .copyObject, .destroyObject, .setAttributeValue,
            .generateKey, .generateKeyPair, .wrapKey, .unwrapKey, .deriveKey, .encrypt, .encryptFinal, .decrypt,
            .decryptFinal, .sign, .signFinal, .signRecover, .verify, .verifyFinal, .verifyRecover, .encryptMessage,
            .decryptMessage, .signMessage, .verifyMessage:
            true
        default: false
        }
    }
}

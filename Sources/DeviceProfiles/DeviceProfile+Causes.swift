package import Diagnostics

extension DeviceProfile {
    /// Why this device answers a value, and from which functions; `nil` for any function.
    package func causes(of value: ReturnValue) -> [(functions: Set<String>?, sentence: String)] {
        let (full, lifecycle) = (self.capacity.full, self.lifecycle)
        let generation: Set = ["C_GenerateKeyPair", "C_GenerateKey"]
        let creation: Set = ["C_CreateObject", "C_UnwrapKey"]
        let writing = generation.union(creation)
        let fields: [(ProfileValue<ReturnValue>, Set<String>?, String)] = [
            (full.keyGeneration, generation, "from C_GenerateKeyPair: the device is full"),
            (full.create, creation, "from C_CreateObject or C_UnwrapKey: the device is full"),
            (full.setAttribute, ["C_SetAttributeValue"], "from C_SetAttributeValue: the device is full"),
            (full.directory, writing, "while something is written: a directory file of the card is full"),
            (full.objects, writing, "while something is written: the device has as many objects as it takes"),
            (full.log, nil, "from any call: the audit log of the device is full"),
            (self.sessions.overLimit, ["C_OpenSession"], "from C_OpenSession: the device has no session left"),
            (lifecycle.removed, nil, "from any call: the device was removed"),
            (lifecycle.staleSession, nil, "from any call: the session is from before the device went away"),
            (lifecycle.staleHandle, nil, "from a use of a key: the handle is from before the device went away"),
        ]
        var causes = fields.compactMap { field, functions, text -> (Set<String>?, String)? in
            guard case .known(let known, let provenance) = field, known == value else { return nil }
            return (functions, self.sentence(text, provenance))
        }
        if case .known(let values, let provenance) = lifecycle.throttled, values.contains(value) {
            causes.append((nil, self.sentence("it was asked too much at once", provenance)))
        }
        return causes.map { (functions: $0.0, sentence: $0.1) }
    }

    /// A failed call with what this profile knows of it: the vendor's name of the value, and its likely cause.
    package func explained(_ failure: TokenFailure) -> TokenFailure {
        var explained = failure
        if failure.returnValue.name == nil {
            explained.vendorName = self.vendorReturnValues[failure.returnValue]?.value
        }
        let causes = self.causes(of: failure.returnValue)
        let fitting =
            causes.first { $0.functions?.contains(failure.function) == true }
            ?? causes.first {
                $0.functions == nil
            }
        explained.deviceCause = fitting?.sentence
        return explained
    }

    private func sentence(_ text: String, _ provenance: Provenance) -> String {
        "On \(self.name), \(text) (\(provenance.evidence.rawValue): \(provenance.source))."
    }
}

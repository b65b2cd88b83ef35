internal import DeviceProfiles

extension DeviceProfile.Latency {
    /// Median of an operation with a key in milliseconds, where the profile has one. Decryption with RSA takes as long
    /// as a signature.
    func operation(_ kind: OperationKind, of key: ObjectDescriptor) -> Double? {
        guard [.sign, .decrypt, .messageSign, .messageDecrypt].contains(kind), key.kind == .privateKey else {
            return nil
        }
        switch key.algorithm {
        case .rsa(modulusBits: 2048)?: return self.signRSA2048.value
        case .p256?: return self.signP256.value
        case .p384?: return self.signP384.value
        default: return nil
        }
    }

    func generation(of key: ObjectDescriptor) -> Double? {
        key.algorithm == .rsa(modulusBits: 2048) ? self.generateRSA2048.value : nil
    }
}

internal import CPKCS11
internal import Diagnostics

/// Random numbers (PKCS #11 v2.40, section 5.14).
extension Session {
    /// Bytes of the token's generator (`C_GenerateRandom`).
    public func randomBytes(_ count: Int) throws(PKCS11Error) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try self.check("C_GenerateRandom", self.functions.C_GenerateRandom) {
            $0(self.handle, &bytes, CK_ULONG(count))
        }
        return bytes
    }
}

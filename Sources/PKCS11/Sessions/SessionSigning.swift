internal import CPKCS11
internal import Diagnostics

/// Signing (PKCS #11 v2.40, section 5.10).
extension Session {
    /// Signs in one part (`C_SignInit`, `C_Sign`).
    ///
    /// - Parameters:
    ///   - authorize: runs between both calls, for keys that want the PIN at each use.
    ///   - read: takes the signature out of the memory that the module wrote it to. Not generic: this is the way of every
    ///     signature, and a generic function of another module looks types up at each call.
    public func sign(
        _ data: [UInt8], with key: ObjectHandle, _ mechanism: Mechanism,
        authorize: ((Session) throws(PKCS11Error) -> Void)? = nil, _ read: (UnsafeBufferPointer<UInt8>) -> [UInt8]
    ) throws(PKCS11Error) -> [UInt8] {
        try self.check("C_SignInit", self.functions.C_SignInit, mechanism: mechanism.type, object: key) { function in
            mechanism.withUnsafeMechanism { function(self.handle, $0, key.rawValue) }
        }
        if let authorize { try authorize(self) }
        return try self.output(
            "C_Sign", self.functions.C_Sign, mechanism: mechanism.type, capacity: Session.signatureBytes,
            { function, buffer, length in
                data.withUnsafeBufferPointer { input in
                    // The module reads it only; the C type has no `const`.
                    function(
                        self.handle, UnsafeMutablePointer(mutating: input.baseAddress), CK_ULONG(input.count), buffer,
                        length)
                }
            }, read)
    }

    /// The signature of an RSA key of 8192 bits. A buffer of more bytes than this is not made on the stack, and aligned
    /// memory from the heap costs more than all else that is done here, since `malloc` tidies up for it.
    private static let signatureBytes = 1024

    /// Signs in one part, and gives the signature as the module wrote it.
    public func sign(_ data: [UInt8], with key: ObjectHandle, _ mechanism: Mechanism) throws(PKCS11Error) -> [UInt8] {
        try self.sign(data, with: key, mechanism) { Array($0) }
    }
}

package import KeyProvider

/// What only a restore of an older database has to write, inside one transaction. Part of ``StorageWriting``.
package protocol RestoreStorageWriting {
    /// Makes the number of every later request higher than `number`.
    func raiseRequestID(to number: Int64) throws

    /// Has the next lists name a certificate that a published list named and that the database does not have.
    ///
    /// - Returns: false when the revocation was known.
    func insertRevocation(_ revoked: RevokedCertificate, scope: CRLScope) throws -> Bool

    /// What a list says of a certificate of that CA key that the database did not have when the list was taken over.
    func listedRevocation(_ serialNumber: [UInt8], caKeyIndex: Int) throws -> RevokedCertificate?

    /// Notes that the CA keys and exchange keys with this public key are found under another reference now.
    func setReference(_ reference: KeyReference, ofKey publicKeySHA256: [UInt8]) throws
}

package import CertificateAuthority
import PKIMessages

/// The requester's check that the CA has archived the key that was sent (MS-WCCE, section 3.1.1.4.3.6.1).
package enum ArchivalEcho {
    /// - Parameter request: DER.
    /// - Throws: `PKIMessageError`: 0x80095002 when the answer has no hash of the key, 0x80095003 when none was sent,
    ///   0x80095004 when it is another's.
    package static func check(_ result: EnrollmentResult, of request: [UInt8]) throws {
        guard result.disposition == .issued, let der = result.fullResponseDER,
            case .cmc(let sent) = try RequestMessage(derEncoded: request).form
        else { return }
        let response = try FullPKIResponse(derEncoded: der)
        try response.verifyEncryptedKeyHash(sent: sent.encryptedKeyHash)
    }
}

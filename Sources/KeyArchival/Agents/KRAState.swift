package import PKIMessages

/// The state of a key recovery agent's certificate, with the numbers of the Windows SDK (`KRA_DISP_*`, `certcli.h`).
package enum KRAState: Int, Sendable, Codable {
    case expired = 0
    case notFound = 1
    case revoked = 2
    case valid = 3
    /// Not a certificate of a key recovery agent.
    case invalid = 4
    case untrusted = 5
    case notLoaded = 6
}

/// What a check said of one agent.
package struct KRAStatus: Sendable, CustomStringConvertible {
    /// `nil` when the stored bytes are no certificate.
    package let certificate: CertificateFields?
    package let state: KRAState
    /// The check that failed, as a clause; `nil` when the agent is valid.
    package let failedCheck: String?

    /// Subject, serial number and the failed check.
    package var description: String {
        let name = self.certificate.map { "\($0.subject), serial number \($0.serialHex)" } ?? "unreadable certificate"
        return self.failedCheck.map { "\(name): \($0)" } ?? name
    }
}

package import Diagnostics
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
    /// A check that failed.
    package struct Failure: Sendable, Equatable {
        package let state: KRAState
        /// What is wrong, as a clause.
        package let reason: String
        package let hresult: HRESULT
    }

    /// Position among the configured agents, from 0.
    package let index: Int
    /// As configured.
    package let sha1Thumbprint: [UInt8]
    /// `nil` when the stored bytes are no certificate.
    package let certificate: CertificateFields?
    /// `nil` when the agent is valid.
    package let failure: Failure?

    package var state: KRAState { self.failure?.state ?? .valid }
    package var failedCheck: String? { self.failure?.reason }

    /// Subject, serial number and the failed check.
    package var description: String {
        let name = self.certificate.map { "\($0.subject), serial number \($0.serialHex)" } ?? "unreadable certificate"
        return self.failedCheck.map { "\(name): \($0)" } ?? name
    }
}

import CertificateAuthority
import Diagnostics

/// The words about a request's fate that stand on more than one page.
struct StatusText {
    let result: EnrollmentResult

    /// The message as the CA stored it. `Denied by Policy Module  0x80094800, ...`, with two blanks, comes from there.
    var dispositionMessage: String {
        let message = self.result.dispositionMessage
        guard message.isEmpty else { return message }
        return switch self.result.disposition {
        case .pending, .active: "Taken Under Submission"
        case .issued, .revoked, .caCertificate, .foreign: "Issued"
        case .error, .denied: self.result.statusCode.windowsText
        }
    }

    /// Number and name of the disposition as it leaves the CA (MS-WCCE 3.2.1.4.2.1, `pdwDisposition`).
    var dispositionNumber: String {
        switch self.result.disposition {
        case .foreign: "0 - Incomplete"
        case .error: "1 - Failed"
        case .denied: "2 - Denied"
        case .issued, .caCertificate: "3 - Issued"
        case .pending, .active: "5 - Under submission"
        case .revoked: "6 - Revoked"
        }
    }
}

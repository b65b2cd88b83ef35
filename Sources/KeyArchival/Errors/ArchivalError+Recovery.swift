package import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages

extension ArchivalError {
    static func noArchivedKey(requestID: Int64, _ reason: String) -> ArchivalError {
        ArchivalError(
            code: .noArchivedKey, operation: "make the recovery blob of request \(requestID)", reason: reason,
            hresult: .propertyEmpty, facts: [Fact("request", "\(requestID)")],
            advice: ["Find the certificates that have an archived key with `signet key find`."])
    }

    static func changedRecord(requestID: Int64, _ reason: String) -> ArchivalError {
        ArchivalError(
            code: .changedRecord, operation: "use the archived key of request \(requestID)", reason: reason,
            hresult: .hashValue, facts: [Fact("request", "\(requestID)")],
            advice: [
                "Compare `signet key evidence` with a backup of the database, and find out who changed the record."
            ])
    }

    static func evidenceNotSigned(requestID: Int64, _ reason: String) -> ArchivalError {
        ArchivalError(
            code: .evidenceNotSigned, operation: "use the archived key of request \(requestID)", reason: reason,
            hresult: .badSignature, facts: [Fact("request", "\(requestID)")],
            advice: [
                "Look at the chain with `signet audit verify`; when it is whole, have its head signed by `signet audit sign`."
            ])
    }

    static func agentCertificateMissing(requestID: Int64, hash: String) -> ArchivalError {
        ArchivalError(
            code: .agentCertificateMissing, operation: "make the recovery blob of request \(requestID)",
            reason: "the certificate of a key recovery agent to whom it was archived is not in the database",
            hresult: .notFound, facts: [Fact("SHA-1 thumbprint", hash)],
            advice: ["Add the agent's certificate again with `signet kra add`."])
    }

    package static func nothingFound(_ term: String) -> ArchivalError {
        ArchivalError(
            code: .nothingFound, operation: "find an archived key", reason: "no archived key fits \"\(term)\"",
            hresult: .notFound,
            advice: [
                "Search by the whole common name, UPN, requester, serial number, thumbprint or key identifier."
            ])
    }

    package static func ambiguousName(_ term: String, _ candidates: [CertificateRecord]) -> ArchivalError {
        ArchivalError(
            code: .ambiguousName, operation: "choose an archived key",
            reason: "\(candidates.count) archived keys fit \"\(term)\"", hresult: .ambiguousName,
            facts: candidates.map { candidate in
                Fact(
                    "candidate",
                    "serial number \(candidate.serialNumber), \(candidate.subject), "
                        + "valid from \(candidate.notBefore.ISO8601Format())")
            },
            advice: ["Name the key by the serial number of its certificate."])
    }

    static func untrustedBlob(_ reason: String) -> ArchivalError {
        ArchivalError(
            code: .untrustedBlob, operation: "read the recovery blob", reason: reason, hresult: .untrustedRoot,
            advice: ["Get the blob again from a certificate manager, and check the CA certificates that you trust."])
    }

    static func noRecoveryKey(_ recipients: [KeyRecovery.Recipient]) -> ArchivalError {
        ArchivalError(
            code: .noRecoveryKey, operation: "open the recovery blob",
            reason: "none of the tokens has the key of a key recovery agent to whom it is encrypted",
            hresult: .noKey, facts: recipients.map { Fact("can be opened by", $0.description) },
            advice: ["Insert the card of one of the agents that are named."])
    }
}

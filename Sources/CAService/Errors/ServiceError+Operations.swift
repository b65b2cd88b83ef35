package import CertificateAuthority
import Diagnostics

/// What can be wrong with what an operator or requester asks for.
extension ServiceError {
    static func notIssued(_ requestID: Int64) -> ServiceError {
        ServiceError(
            code: .notIssued, headline: "Request \(requestID) has no certificate.", hresult: .propertyEmpty,
            advice: ["Look at it with `signet request list`; a pending one is issued by `signet request approve`."])
    }

    static func nothingToInstall(_ name: String) -> ServiceError {
        ServiceError(
            code: .nothingToInstall, headline: "\"\(name)\" waits for no certificate.", hresult: .badRequestStatus,
            advice: ["Look at the certificate that is in place with `signet ca show`."])
    }

    static func renewalPending(_ name: String) -> ServiceError {
        ServiceError(
            code: .renewalPending, headline: "\"\(name)\" waits for the answer to a request already.",
            hresult: .badRequestStatus,
            advice: [
                "Install the certificate with `signet ca install`, or give the request up with `signet ca renew --abandon`."
            ])
    }

    static func firstCertificateAwaited(_ name: String) -> ServiceError {
        ServiceError(
            code: .renewalPending, headline: "\"\(name)\" waits for its first certificate, which is no renewal.",
            hresult: .badRequestStatus,
            advice: ["Install the certificate with `signet ca install`, or remove the instance and make it again."])
    }

    static func unknownToken(_ name: String) -> ServiceError {
        ServiceError(
            code: .unknownToken, headline: "signet.yaml has no token \"\(name)\".", hresult: .objectNotFound,
            advice: ["Describe the token under `tokens:` in signet.yaml, or name one that stands there."])
    }

    static func untrustedExchangeCertificate(_ reason: String) -> ServiceError {
        ServiceError(
            code: .untrustedExchangeCertificate,
            headline: "The private key was not encrypted to the exchange certificate: \(reason).",
            hresult: .untrustedRoot,
            advice: ["Fetch a fresh exchange certificate from the CA itself (`signet ca exchange`)."])
    }

    static func noTrustedCertificate() -> ServiceError {
        ServiceError(
            code: .noTrustedCertificate, headline: "The file of CA certificates has no certificate in it.",
            hresult: .notFound, advice: ["Write one with `signet ca show --pem-out FILE`."])
    }

    static func certificateKeyMismatch(_ token: String) -> ServiceError {
        ServiceError(
            code: .certificateKeyMismatch,
            headline: "The certificate's key is not on token \(token); nothing was written.", hresult: .noKeyContainer,
            advice: ["Insert the card on which the key was generated."])
    }

    static func agentNotValid(_ reason: String) -> ServiceError {
        ServiceError(
            code: .agentNotValid, headline: "The certificate cannot serve as key recovery agent: \(reason).",
            hresult: .noValidKRA, advice: ["Enrol one with `signet kra enroll` and have it approved."])
    }

    static func agentNotConfigured(_ name: String) -> ServiceError {
        ServiceError(
            code: .agentNotConfigured, headline: "No configured key recovery agent has the certificate \(name).",
            hresult: .notFound,
            advice: ["Name it by serial number or SHA-1 thumbprint, as `signet kra status` shows them."])
    }

    static func tooFewAgents(left: Int, needed: Int) -> ServiceError {
        ServiceError(
            code: .tooFewAgents,
            headline: "Only \(left) key recovery agents would be left, and each key is archived to \(needed).",
            hresult: .invalidParameter,
            advice: [
                "Add another agent first, or lower archival.recovery-agents; --force stops archival until then."
            ])
    }

    static func tokenWithoutLabel() -> ServiceError {
        ServiceError(
            code: .tokenWithoutLabel, headline: "The URI names no label for the token.", hresult: .invalidParameter,
            advice: ["Name it as pkcs11:token=LABEL."])
    }

    static func tokenExists(_ token: TokenIdentification) -> ServiceError {
        ServiceError(
            code: .tokenExists, headline: "Token \(token) is initialised already and is left as it is.",
            hresult: .alreadyExists,
            advice: ["Choose another label, or wipe the token with its maker's tool if nothing on it is needed."])
    }

    static func noEmptyToken() -> ServiceError {
        ServiceError(
            code: .noEmptyToken, headline: "The module has no empty token to initialise.", hresult: .noSmartCard,
            advice: ["Insert an empty card, or make room for a token in the module's own configuration."])
    }

    static func invalidName(_ what: String, _ reason: String) -> ServiceError {
        ServiceError(
            code: .invalidName, headline: "\(what) cannot be used: \(reason).", hresult: .invalidParameter,
            advice: ["Choose a name of printable characters."])
    }
}

extension ServiceError {
    static func unknownName(_ kind: String, _ name: String) -> ServiceError {
        ServiceError(
            code: .unknownName, headline: "There is no \(kind) \"\(name)\".", hresult: .objectNotFound,
            facts: [Fact("name", name)],
            advice: ["Look at the names with `signet role list` and `signet group list`."])
    }
}

/// What the audit trail can be.
extension ServiceError {
    package static func auditNotSound(_ findings: [AuditFinding]) -> ServiceError {
        ServiceError(
            code: .auditChainBroken,
            headline: "The audit trail is not sound: \(findings.first.map(\.text) ?? "unknown").", hresult: .hashValue,
            facts: findings.map { Fact($0.kind.rawValue, $0.text) },
            advice: ["Keep the database and the exported files as evidence, and compare them with the last backup."])
    }

    static func auditUnreadable(after sequence: Int64, _ reason: String) -> ServiceError {
        ServiceError(
            code: .auditChainBroken,
            headline: "The audit chain cannot be read after entry \(sequence): \(reason).", hresult: .hashValue,
            facts: [Fact("entry", "\(sequence + 1)")],
            advice: ["Keep the database as evidence, and compare it with the last backup."])
    }

    static func notAnAuditFile(_ path: String, line: Int) -> ServiceError {
        ServiceError(
            code: .notAnAuditFile, headline: "Line \(line) of \"\(path)\" is not part of an exported audit trail.",
            hresult: .invalidData, facts: [Fact("line", "\(line)")],
            advice: ["Export it again with `signet audit export`; if this is the original, it was changed."])
    }
}

extension ServiceError {
    static func noStoppedKey() -> ServiceError {
        ServiceError(
            code: .noStoppedKey, headline: "No CA key is stopped.", hresult: .badRequestStatus,
            advice: ["Look for the cause of the trouble in the audit trail (`signet audit show`)."])
    }
}

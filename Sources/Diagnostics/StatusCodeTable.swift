/// The table of status codes as a document: `docs/errors.md` is made of it.
public enum StatusCodeTable {
    /// Every code that has a name, in the order of the numbers.
    public static var codes: [HRESULT] { HRESULT.table.keys.sorted().map(HRESULT.init(rawValue:)) }

    /// GitHub-flavoured Markdown.
    public static var markdown: String {
        let rows = self.codes.map { code in
            let cells = [
                "`\(code)`", "\(Int32(bitPattern: code.rawValue))", "`\(code.name ?? "")`", code.text,
                self.occasions[code] ?? self.neverGiven[code].map { "never: \($0)" } ?? "",
            ]
            return "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
        }
        return """
            # Status codes

            <!-- Made by `signet explain --all --markdown`. Do not edit: a test compares this file with the code. -->

            Every error of Signet carries one of these codes, with the name and text that Windows has for it. `signet explain`
            explains the return values of PKCS #11 modules in the same way.

            | Code | Decimal | Name | Text | Given when |
            |---|---|---|---|---|

            """ + rows.joined(separator: "\n") + "\n"
    }

    /// When the certification authority, or a requester's own command, gives a code, where its text alone does not tell.
    package static let occasions: [HRESULT: String] = [
        .accessDenied: "the caller lacks a role that the operation needs (`signet role matrix`)",
        .invalidData: "a message or a file is malformed",
        .issuerChaining: "a certificate or its key is imported that this CA has not issued, or may not take",
        .objectExists: "a certificate is imported that the database has already",
        .noMatch: "a certificate is imported for a pending request, and none asks for its key",
        .hashValue: "the hash of an archived key does not fit, or the audit trail was changed",
        .invalidMessageType: "a message is none that the CA takes",
        .noSigner: "a CMC request has no signer",
        .badSignature: "a request's signature is wrong, or a token signed wrongly",
        .badKeyState: "the key was stopped after a wrong signature (`signet ca release-key`)",
        .invalidDirectory: "there is no backup in the directory, or a full one is missing",
        .serverSuspended: "the instance is being restored, or its restore was interrupted",
        .badRequestSubject: "the subject is empty or cannot be built",
        .badRequestStatus: "the request or certificate is not in the state that the operation needs",
        .propertyEmpty: "there is no such request, certificate or archived key",
        .invalidCACertificate: "the CA has no usable certificate of its own",
        .roleConflict: "role separation is on, and the caller has two of the four roles",
        .restrictedOfficer: "the certificate manager is restricted to other groups or templates",
        .keyArchivalNotConfigured: "a request brings a key, and no recovery agent is configured",
        .noValidKRA: "a configured key recovery agent's certificate is not valid",
        .badRequestKeyArchival: "the encrypted key is not where it has to be",
        .badRenewalCertAttribute: "a renewal lacks the old certificate, or its signature",
        .enrollDenied: "the caller may not enrol at this CA",
        .templateDenied: "the caller may not enrol for the template",
        .adminDeniedRequest: "a certificate manager denied the request",
        .unsupportedCertType: "the CA does not offer the template",
        .noCertType: "the request names no template",
        .templateConflict: "the request names several templates",
        .archivedKeyRequired: "the template archives keys, and the request brings none",
        .badTemplateVersion: "the request asks for a newer version of the template",
        .archivedKeyUnexpected: "the request brings a key, and the template does not archive",
        .keyLength: "the key is shorter than the template allows",
        .certTypeOverlap: "the CA's remaining lifetime is shorter than the template's overlap",
        .operationAborted: "the CA stopped before the request had an outcome",
        .writeFault: "the database or a file cannot be written: nothing is signed then",
        .ambiguousName: "several archived keys fit what is looked for",
        .fileNotFound: "there is no instance in the directory, or a file is missing",
        .invalidParameter: "a number, name or reason does not fit",
        .objectNotFound: "the database has no such row",
        .notFound: "a certificate that is needed is not stored, such as a recovery agent's",
        .revocationOffline: "there is no current CRL of the authority whose certificate a co-signer has",
        .subjectAltNameRequired: "the directory has no service principal name, and the template wants one",
        .badRenewalSubject: "somebody asks on behalf of another, and the template wants no agent's signature",
        .templatePolicyRequired: "the template wants signatures and does not say with which policies",
        .signaturePolicyRequired: "no co-signer has application policies",
        .signatureCount: "co-signers are missing",
        .signatureRejected: "the co-signers have not the application policies that the template wants",
        .issuancePolicyRequired: "the co-signers have not the issuance policies that the template wants",
        .subjectUPNRequired: "the template wants a user principal name, and none is known",
        .subjectDirectoryGUIDRequired: "the template wants the directory's identifier, and none is known",
        .subjectDNSRequired: "the template wants a DNS or domain name, and none is known",
        .subjectEmailRequired: "the template wants a mail address, and none is known",
        .unknownCertType: "a template is to be enabled or changed that does not exist",
        .revoked: "a certificate that has to be relied on is revoked, such as a co-signer's",
        .certificateExpired: "a certificate that has to be relied on has expired, such as a co-signer's or the CA's",
        .chaining: "a certificate that has to be relied on is of an authority that is not trusted",
        .badKeyset: "a token has not, or has no longer, the key that is asked for",
        .noSmartCard: "no token fits the one that is configured",
        .writeTooMany: "a card has no room for what is to be written",
        .noKeyContainer: "a certificate is to be put on a card that has not its key",
        .removedCard: "a token goes away while it works",
        .wrongPIN: "a token refuses the PIN; it is not tried again",
        .pinBlocked: "a token has locked the PIN",
        .cancelledByUser: "somebody interrupts the prompt for a PIN or password, or declines at the device",
        .keyNotExportable: "a requester is to send a key for archival that never leaves its token",
        .responseKAHashNotFound: "a requester has sent a key for archival, and the CA's answer does not confirm it",
        .responseUnexpectedKAHash: "a requester has sent no key, and the CA's answer confirms the archival of one",
        .responseKAHashMismatch: "the CA's answer to a requester confirms the archival of another key",
    ]

    /// Codes of Windows in the CA's documents that this CA never gives, and why.
    package static let neverGiven: [HRESULT: String] = [
        .badFlags: "a key that cannot be exported for archival is 0x80095000",
        .keysetNotDefined:
            "there are no key containers; a token or key that is missing is named by the codes of smart cards",
        .noRequest: "a number without a request is 0x80094004, as the enrolment pages of Windows have it",
        .encodingLength: "no encoding is refused for the sake of older software",
        .cannotAddRootCert: "no command adds a root to anybody's list of trusted ones",
        .keyspecSMIMEMismatch: "a request may carry the S/MIME extension whatever its key is for",
    ]
}

package import Diagnostics
package import Foundation
package import KeyProvider

/// One row of the request table.
package struct RequestRecord: Sendable, Equatable {
    /// 0 until storage has given the number.
    package var requestID: Int64
    package var type: RequestType
    /// The request as received, without the encrypted private key (MS-WCCE 3.2.2.6.2.1.3). Empty for requests the CA makes.
    package var rawRequest: [UInt8]
    /// `Name:Value` lines as received, but for the value of `Challenge`.
    package var attributes: String
    package var requesterName: String
    /// The template's name, as found in the request.
    package var templateName: String?
    /// RFC 4514 text of the subject asked for.
    package var subject: String
    package var submittedWhen: Date
    package var resolvedWhen: Date?
    package var disposition: Disposition
    package var statusCode: HRESULT
    package var dispositionMessage: String
    /// SHA-1 or SHA-2 hash of the encrypted key, echoed in the full response; only when a key was archived.
    package var encryptedKeyHash: [UInt8]?
    package var flags: RequestFlags = []
    /// Who handed the request in: the enrolment agent where ``requesterName`` is somebody else. `nil` for requests the CA
    /// makes.
    package var callerName: String?
    /// DER of the certificate that this one renews.
    package var oldCertificateDER: [UInt8]?
    /// Application policies of those who signed beside the requester, in dots.
    package var signerApplicationPolicies: [String] = []
    /// Issuance policies of the same.
    package var signerPolicies: [String] = []
    /// The certificate manager or administrator who decided last.
    package var officerName: String?
    /// What an ``Disposition/active`` request was before somebody took it up again: what it becomes again when the
    /// process ends before it has an outcome.
    package var resumesAs: Disposition?

    package init(
        requestID: Int64 = 0, type: RequestType, rawRequest: [UInt8], attributes: String, requesterName: String,
        templateName: String?, subject: String, submittedWhen: Date, resolvedWhen: Date? = nil,
        disposition: Disposition, statusCode: HRESULT = .ok, dispositionMessage: String = "",
        encryptedKeyHash: [UInt8]? = nil, callerName: String? = nil
    ) {
        self.requestID = requestID
        self.type = type
        self.rawRequest = rawRequest
        self.attributes = attributes
        self.requesterName = requesterName
        self.templateName = templateName
        self.subject = subject
        self.submittedWhen = submittedWhen
        self.resolvedWhen = resolvedWhen
        self.disposition = disposition
        self.statusCode = statusCode
        self.dispositionMessage = dispositionMessage
        self.encryptedKeyHash = encryptedKeyHash
        self.callerName = callerName
    }
}

/// One issued certificate.
package struct CertificateRecord: Sendable, Equatable {
    package var requestID: Int64
    /// Upper-case hexadecimal of the DER INTEGER content, as `openssl x509 -serial` prints it; unique.
    package var serialNumber: String
    package var certificateDER: [UInt8]
    package var sha1Thumbprint: [UInt8]
    package var sha256Thumbprint: [UInt8]
    package var subject: String
    package var commonName: String?
    package var userPrincipalName: String?
    package var requesterName: String
    package var templateName: String?
    package var subjectKeyIdentifier: [UInt8]
    package var notBefore: Date
    package var notAfter: Date
    /// Which CA key signed it, counted from 0.
    package var caKeyIndex: Int
    /// Which list of that key names it when it is revoked: 0, or a shard counted from 1.
    package var crlShard: Int
    package var revocation: Revocation?

    /// ``caKeyIndex`` of a certificate that another CA has signed: no list of this CA names it.
    package static let foreignKeyIndex = -1
    /// Another CA has signed it; its key was imported into the archive.
    package var isForeign: Bool { self.caKeyIndex == CertificateRecord.foreignKeyIndex }

    /// Why and when a certificate lost its validity (RFC 5280, section 5.3).
    package struct Revocation: Sendable, Equatable {
        /// `CRLReason` number.
        package var reason: Int
        package var revokedWhen: Date
        /// The date in the CRL entry.
        package var effectiveWhen: Date
        /// When the key is known or suspected to have been compromised, when somebody said so.
        package var invalidityWhen: Date?

        package init(reason: Int, revokedWhen: Date, effectiveWhen: Date, invalidityWhen: Date? = nil) {
            self.reason = reason
            self.revokedWhen = revokedWhen
            self.effectiveWhen = effectiveWhen
            self.invalidityWhen = invalidityWhen
        }
    }

    package init(
        requestID: Int64, serialNumber: String, certificateDER: [UInt8], sha1Thumbprint: [UInt8],
        sha256Thumbprint: [UInt8], subject: String, commonName: String?, userPrincipalName: String?,
        requesterName: String, templateName: String?, subjectKeyIdentifier: [UInt8], notBefore: Date, notAfter: Date,
        caKeyIndex: Int, crlShard: Int = 0, revocation: Revocation? = nil
    ) {
        self.requestID = requestID
        self.serialNumber = serialNumber
        self.certificateDER = certificateDER
        self.sha1Thumbprint = sha1Thumbprint
        self.sha256Thumbprint = sha256Thumbprint
        self.subject = subject
        self.commonName = commonName
        self.userPrincipalName = userPrincipalName
        self.requesterName = requesterName
        self.templateName = templateName
        self.subjectKeyIdentifier = subjectKeyIdentifier
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.caKeyIndex = caKeyIndex
        self.crlShard = crlShard
        self.revocation = revocation
    }
}

/// That the CA is about to sign something: stored before the token is asked, closed by the outcome.
package struct SigningIntent: Sendable, Equatable {
    package enum Kind: String, Sendable, Codable {
        case certificate
        case crl
        /// A CMS message: a full response, a recovery blob. Its number is random.
        case message
        /// A head of the audit chain.
        case auditHead = "audit-head"
        case deltaCRL = "delta-crl"
    }

    package enum Outcome: String, Sendable, Codable {
        case open
        /// Signed, verified and stored.
        case completed
        /// The token or the verification of its signature failed.
        case failed
        /// Found open at start: the process ended between the intent and the outcome.
        case interrupted
    }

    /// 0 until storage has given the number.
    package var intentID: Int64
    package var kind: Kind
    /// The request that the certificate is for; `nil` for a CRL.
    package var requestID: Int64?
    /// The certificate's serial number or the CRL's number; never used for anything else again.
    package var number: String
    /// SHA-256 of the to-be-signed bytes.
    package var toBeSignedSHA256: [UInt8]
    package var caKeyIndex: Int
    package var createdWhen: Date
    package var outcome: Outcome
    package var closedWhen: Date?

    package init(
        intentID: Int64 = 0, kind: Kind, requestID: Int64?, number: String, toBeSignedSHA256: [UInt8],
        caKeyIndex: Int, createdWhen: Date, outcome: Outcome = .open, closedWhen: Date? = nil
    ) {
        self.intentID = intentID
        self.kind = kind
        self.requestID = requestID
        self.number = number
        self.toBeSignedSHA256 = toBeSignedSHA256
        self.caKeyIndex = caKeyIndex
        self.createdWhen = createdWhen
        self.outcome = outcome
        self.closedWhen = closedWhen
    }
}

/// A CA certificate of this instance, or one above it in its chain.
package struct CACertificateRecord: Sendable, Equatable {
    package enum Use: String, Sendable, Codable {
        /// This CA's own certificate.
        case own
        /// A certificate between this CA and the root, or the root.
        case chain
        /// A root's new key, certified by the one before it (RFC 4210, section 4.4.1).
        case newWithOld = "new-with-old"
        /// A root's former key, certified by the one after it.
        case oldWithNew = "old-with-new"

        /// Whether it ties two keys of this CA together.
        package var isLink: Bool { self == .newWithOld || self == .oldWithNew }
    }

    package var use: Use
    /// CA certificate index for ``Use/own`` (0, 1, ... at each renewal); distance to the own certificate for the chain;
    /// index of the CA certificate at which the key in it ended or began for a link.
    package var index: Int
    /// Which key: 0 for the first. For a link the key that signed it.
    package var keyIndex: Int
    package var certificateDER: [UInt8]
    /// `nil` but for ``Use/own``.
    package var locator: KeyLocator?

    package init(use: Use, index: Int, keyIndex: Int, certificateDER: [UInt8], locator: KeyLocator?) {
        self.use = use
        self.index = index
        self.keyIndex = keyIndex
        self.certificateDER = certificateDER
        self.locator = locator
    }
}

/// A CA exchange certificate and where its key is.
package struct ExchangeCertificateRecord: Sendable, Equatable {
    package var requestID: Int64
    package var certificateDER: [UInt8]
    package var locator: KeyLocator
    package var notBefore: Date
    package var notAfter: Date
    /// When the key was removed from its token.
    package var retiredWhen: Date?

    package init(
        requestID: Int64, certificateDER: [UInt8], locator: KeyLocator, notBefore: Date, notAfter: Date,
        retiredWhen: Date? = nil
    ) {
        self.requestID = requestID
        self.certificateDER = certificateDER
        self.locator = locator
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.retiredWhen = retiredWhen
    }
}

/// A key recovery agent that this CA archives to.
package struct KRARecord: Sendable, Equatable {
    package var sha1Thumbprint: [UInt8]
    package var certificateDER: [UInt8]
    package var addedWhen: Date

    package init(sha1Thumbprint: [UInt8], certificateDER: [UInt8], addedWhen: Date) {
        self.sha1Thumbprint = sha1Thumbprint
        self.certificateDER = certificateDER
        self.addedWhen = addedWhen
    }
}

/// An archived private key, as only a key recovery agent can open it.
package struct ArchivedKeyRecord: Sendable, Equatable {
    package var requestID: Int64
    package var format: ArchiveFormat
    /// DER ContentInfo of the EnvelopedData (`Request_Raw_Archived_Key`).
    package var envelopedDataDER: [UInt8]
    /// SHA-1 thumbprints of the KRA certificates, lower-case hexadecimal bytes with blanks between (`Request_Key_Recovery_Hashes`).
    package var kraHashes: [String]
    /// Which path the plaintext took, as JSON.
    package var evidenceJSON: String
    package var archivedWhen: Date

    package init(
        requestID: Int64, format: ArchiveFormat, envelopedDataDER: [UInt8], kraHashes: [String], evidenceJSON: String,
        archivedWhen: Date
    ) {
        self.requestID = requestID
        self.format = format
        self.envelopedDataDER = envelopedDataDER
        self.kraHashes = kraHashes
        self.evidenceJSON = evidenceJSON
        self.archivedWhen = archivedWhen
    }
}

/// What a proof of recoverability found.
package struct RecoveryDrillRecord: Sendable, Equatable {
    package var endedWhen: Date
    package var who: String
    package var isGood: Bool
    package var reportJSON: String

    package init(endedWhen: Date, who: String, isGood: Bool, reportJSON: String) {
        self.endedWhen = endedWhen
        self.who = who
        self.isGood = isGood
        self.reportJSON = reportJSON
    }
}

/// A user of the enrolment service.
package struct UserRecord: Sendable, Equatable {
    package var name: String
    /// `$pbkdf2-sha256$rounds$salt$hash`.
    package var passwordHash: String
    package var roles: Set<Role>

    package init(name: String, passwordHash: String, roles: Set<Role>) {
        self.name = name
        self.passwordHash = passwordHash
        self.roles = roles
    }
}

package import Foundation
import PKIMessages
import SwiftASN1
import X509

/// A column of the request table as Certificate Services names it (MS-CSRA 3.1.1.1; protocols.md 2.4).
package struct RequestColumn: Sendable {
    package enum Value: Sendable, Equatable {
        case none
        case number(Int64)
        case date(Date)
        case text(String)
        /// DER, or a key as it is encoded.
        case binary([UInt8])
    }

    /// As in queries: `RequestID`, `RawCertificate`.
    package let name: String
    /// As over a list: "Request ID", "Archived Key".
    package let heading: String
    package let value: @Sendable (RequestRow) -> Value

    private init(_ name: String, _ heading: String, _ value: @escaping @Sendable (RequestRow) -> Value) {
        self.name = name
        self.heading = heading
        self.value = value
    }

    /// Compared without regard to case, and with the table's name before it or without: `Request.RequestID`.
    package static func named(_ name: String) -> RequestColumn? {
        let short = name.split(separator: ".").last.map(String.init) ?? name
        return RequestColumn.all.first { $0.name.caseInsensitiveCompare(short) == .orderedSame }
    }

    /// Every column, the request's before the certificate's.
    package static let all: [RequestColumn] = request + names(of: .request) + certificate + names(of: .certificate)

    private static let request: [RequestColumn] = [
        .init("RequestID", "Request ID") { .number($0.request.requestID) },
        .init("RawRequest", "Binary Request") { .binary($0.request.rawRequest) },
        .init("RawArchivedKey", "Archived Key") { .init($0.archivedKey?.envelopedDataDER) },
        .init("KeyRecoveryHashes", "Key Recovery Agent Hashes") {
            .init($0.archivedKey?.kraHashes.joined(separator: "\n"))
        },
        .init("RawOldCertificate", "Old Certificate") { .init($0.request.oldCertificateDER) },
        .init("RequestAttributes", "Request Attributes") { .text($0.request.attributes) },
        .init("RequestType", "Request Type") { .number(Int64($0.request.type.rawValue)) },
        .init("RequestFlags", "Request Flags") { .number(Int64($0.request.flags.rawValue)) },
        .init("StatusCode", "Request Status Code") { .text("\($0.request.statusCode)") },
        .init("Disposition", "Request Disposition") { .number(Int64($0.request.disposition.rawValue)) },
        .init("DispositionMessage", "Request Disposition Message") { .text($0.request.dispositionMessage) },
        .init("SubmittedWhen", "Request Submission Date") { .date($0.request.submittedWhen) },
        .init("ResolvedWhen", "Request Resolution Date") { .init($0.request.resolvedWhen) },
        .init("RevokedWhen", "Revocation Date") { .init($0.certificate?.revocation?.revokedWhen) },
        .init("RevokedEffectiveWhen", "Effective Revocation Date") {
            .init($0.certificate?.revocation?.effectiveWhen)
        },
        .init("RevokedReason", "Revocation Reason") {
            $0.certificate?.revocation.map { .number(Int64($0.reason)) } ?? .none
        },
        .init("RequesterName", "Requester Name") { .text($0.request.requesterName) },
        .init("CallerName", "Caller Name") { .init($0.request.callerName) },
        .init("SignerPolicies", "Signer Policies") { .init($0.request.signerPolicies) },
        .init("SignerApplicationPolicies", "Signer Application Policies") {
            .init($0.request.signerApplicationPolicies)
        },
        .init("Officer", "Officer") { .init($0.request.officerName) },
        .init("DistinguishedName", "Request Distinguished Name") { .text($0.request.subject) },
        .init("RawName", "Request Binary Name") { row in
            // `try?`: what could not be read when it came has no name now either.
            .init((try? RequestMessage(derEncoded: row.request.rawRequest))?.certificationRequest.subjectDER)
        },
    ]

    private static let certificate: [RequestColumn] = [
        .init("RawCertificate", "Binary Certificate") { .init($0.certificate?.certificateDER) },
        .init("CertificateHash", "Certificate Hash") { row in
            .init(row.certificate.map { $0.sha1Thumbprint.map { Hexadecimal.lower([$0]) }.joined(separator: " ") })
        },
        .init("CertificateTemplate", "Certificate Template") {
            .init($0.certificate?.templateName ?? $0.request.templateName)
        },
        .init("SerialNumber", "Serial Number") { .init($0.certificate?.serialNumber.lowercased()) },
        .init("IssuerNameID", "Issuer Name ID") { $0.certificate.map { .number(Int64($0.caKeyIndex)) } ?? .none },
        .init("NotBefore", "Certificate Effective Date") { .init($0.certificate?.notBefore) },
        .init("NotAfter", "Certificate Expiration Date") { .init($0.certificate?.notAfter) },
        .init("SubjectKeyIdentifier", "Issued Subject Key Identifier") { row in
            .init(row.certificate.map { Hexadecimal.lower($0.subjectKeyIdentifier) })
        },
        .init("RawPublicKey", "Binary Public Key") { .init($0.fields?.subjectPublicKeyInfo.keyBits) },
        .init("PublicKeyLength", "Public Key Length") { row in
            row.fields.map { .number(Int64($0.subjectPublicKeyInfo.keySizeBits)) } ?? .none
        },
        .init("PublicKeyAlgorithm", "Public Key Algorithm") { row in
            .init(row.fields.map { "\($0.subjectPublicKeyInfo.algorithm)" })
        },
        .init("UPN", "User Principal Name") { .init($0.certificate?.userPrincipalName) },
        .init("IssuedDistinguishedName", "Issued Distinguished Name") { .init($0.certificate?.subject) },
    ]

    private enum Subject: String { case request = "Request", certificate = "Issued" }

    /// The parts of a distinguished name; those of the certificate begin with `Issued`.
    private static func names(of subject: Subject) -> [RequestColumn] {
        let prefix = subject == .request ? "" : subject.rawValue
        return nameParts.map { part in
            RequestColumn(prefix + part.name, "\(subject.rawValue) \(part.heading)") { row in
                guard let text = subject == .request ? row.request.subject : row.certificate?.subject,
                    // `try?`: a name that has no text form has no parts to show.
                    let name = try? DistinguishedNameText.parse(text)
                else { return .none }
                let values = name.flatMap { $0 }.filter { $0.type == part.type }.map { "\($0.value)" }
                return .init(values.isEmpty ? nil : values.joined(separator: "\n"))
            }
        }
    }

    private static let nameParts: [(name: String, heading: String, type: ASN1ObjectIdentifier)] = [
        ("Country", "Country/Region", [2, 5, 4, 6]), ("Organization", "Organization", [2, 5, 4, 10]),
        ("OrgUnit", "Organization Unit", [2, 5, 4, 11]), ("CommonName", "Common Name", [2, 5, 4, 3]),
        ("Locality", "City", [2, 5, 4, 7]), ("State", "State", [2, 5, 4, 8]), ("Title", "Title", [2, 5, 4, 12]),
        ("GivenName", "First Name", [2, 5, 4, 42]), ("Initials", "Initials", [2, 5, 4, 43]),
        ("SurName", "Last Name", [2, 5, 4, 4]), ("EMail", "Email Address", [1, 2, 840, 113_549, 1, 9, 1]),
        ("StreetAddress", "Street Address", [2, 5, 4, 9]),
        ("DomainComponent", "Domain Component", [0, 9, 2342, 19_200_300, 100, 1, 25]),
    ]
}

extension RequestColumn.Value {
    fileprivate init(_ text: String?) { self = text.map { .text($0) } ?? .none }
    fileprivate init(_ date: Date?) { self = date.map { .date($0) } ?? .none }
    fileprivate init(_ bytes: [UInt8]?) { self = bytes.map { .binary($0) } ?? .none }
    fileprivate init(_ list: [String]) { self = list.isEmpty ? .none : .text(list.joined(separator: "\n")) }
}

extension RequestRow {
    // `try?`: certificates in the database were parsed before they were stored.
    fileprivate var fields: CertificateFields? {
        self.certificate.flatMap { try? CertificateFields(derEncoded: $0.certificateDER) }
    }
}

import CertificateAuthority
import Diagnostics
import GRDB

extension RequestRecord {
    init(_ row: RowReader) throws {
        guard let statusCode = UInt32(exactly: try row.integer("status_code")) else {
            throw StorageError.corrupt("status_code", row.operation)
        }
        self.init(
            requestID: try row.integer("request_id"), type: try row.code("type"),
            rawRequest: try row.bytes("raw_request"), attributes: try row.text("attributes"),
            requesterName: try row.text("requester_name"), templateName: try row.textIfPresent("template_name"),
            subject: try row.text("subject"), submittedWhen: try row.date("submitted_when"),
            resolvedWhen: try row.dateIfPresent("resolved_when"), disposition: try row.code("disposition"),
            statusCode: HRESULT(rawValue: statusCode), dispositionMessage: try row.text("disposition_message"),
            encryptedKeyHash: try row.bytesIfPresent("encrypted_key_hash"),
            callerName: try row.textIfPresent("caller_name"))
        self.flags = RequestFlags(rawValue: try row.int("flags"))
        self.oldCertificateDER = try row.bytesIfPresent("raw_old_certificate")
        self.signerApplicationPolicies = try row.list("signer_application_policies")
        self.signerPolicies = try row.list("signer_policies")
        self.officerName = try row.textIfPresent("officer_name")
        self.resumesAs = try row.integerIfPresent("resumes_as").map { _ in try row.code("resumes_as") }
    }

    /// Every column but the number, which the table gives.
    var columns: StatementArguments {
        [
            "type": self.type.rawValue, "raw_request": self.rawRequest.stored, "attributes": self.attributes,
            "requester_name": self.requesterName, "template_name": self.templateName, "subject": self.subject,
            "submitted_when": self.submittedWhen.stored, "resolved_when": self.resolvedWhen?.stored,
            "disposition": self.disposition.rawValue, "status_code": Int64(self.statusCode.rawValue),
            "disposition_message": self.dispositionMessage, "encrypted_key_hash": self.encryptedKeyHash?.stored,
            "flags": self.flags.rawValue, "caller_name": self.callerName,
            "raw_old_certificate": self.oldCertificateDER?.stored,
            "signer_application_policies": self.signerApplicationPolicies.stored,
            "signer_policies": self.signerPolicies.stored, "officer_name": self.officerName,
            "resumes_as": self.resumesAs?.rawValue,
        ]
    }

    static let insertion = """
        INSERT INTO request (type, raw_request, attributes, requester_name, template_name, subject, submitted_when,
            resolved_when, disposition, status_code, disposition_message, encrypted_key_hash, flags, caller_name,
            raw_old_certificate, signer_application_policies, signer_policies, officer_name, resumes_as,
            owner)
        VALUES (:type, :raw_request, :attributes, :requester_name, :template_name, :subject, :submitted_when,
            :resolved_when, :disposition, :status_code, :disposition_message, :encrypted_key_hash, :flags, :caller_name,
            :raw_old_certificate, :signer_application_policies, :signer_policies, :officer_name, :resumes_as,
            :owner)
        """

    static let change = """
        UPDATE request SET type = :type, raw_request = :raw_request, attributes = :attributes,
            requester_name = :requester_name, template_name = :template_name, subject = :subject,
            submitted_when = :submitted_when, resolved_when = :resolved_when, disposition = :disposition,
            status_code = :status_code, disposition_message = :disposition_message,
            encrypted_key_hash = :encrypted_key_hash, flags = :flags, caller_name = :caller_name,
            raw_old_certificate = :raw_old_certificate, signer_application_policies = :signer_application_policies,
            signer_policies = :signer_policies, officer_name = :officer_name, resumes_as = :resumes_as,
            owner = :owner
        WHERE request_id = :request_id
        """
}

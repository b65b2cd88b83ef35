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

    /// Every column but number and owner, in the order of the statements below.
    private var values: [StoredValue] {
        [
            .integer(self.type.rawValue), .blob(self.rawRequest), .text(self.attributes), .text(self.requesterName),
            .text(self.templateName), .text(self.subject), .integer(self.submittedWhen.stored),
            .integer(self.resolvedWhen?.stored), .integer(self.disposition.rawValue),
            .integer(Int64(self.statusCode.rawValue)), .text(self.dispositionMessage), .blob(self.encryptedKeyHash),
            .integer(self.flags.rawValue), .text(self.callerName), .blob(self.oldCertificateDER),
            .text(self.signerApplicationPolicies.stored), .text(self.signerPolicies.stored), .text(self.officerName),
            .integer(self.resumesAs?.rawValue),
        ]
    }

    func insertedValues(owner: Int64?) -> [StoredValue] { self.values + [.integer(owner)] }

    func changedValues(owner: Int64?) -> [StoredValue] {
        self.values + [.integer(owner), .integer(self.requestID)]
    }

    /// The outcome, and which request it is of.
    var settledValues: [StoredValue] {
        [
            .integer(self.resolvedWhen?.stored), .integer(self.disposition.rawValue),
            .integer(Int64(self.statusCode.rawValue)), .text(self.dispositionMessage), .integer(self.requestID),
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

    /// Only what an outcome changes: an index is written anew for each of its columns that stands here.
    static let settlement = """
        UPDATE request SET resolved_when = ?, disposition = ?, status_code = ?, disposition_message = ?, owner = NULL
        WHERE request_id = ? AND disposition = \(Disposition.active.rawValue)
        """
}

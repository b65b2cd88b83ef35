import Diagnostics
import Foundation
import PKIMessages

extension CertificationAuthority {
    /// Issues a certificate for a request whose row is active.
    ///
    /// - Throws: ``RequestFailure`` with the intent to close; whatever the database throws.
    func issue(_ decided: DecidedRequest) async throws -> EnrollmentResult {
        // 7. Decide every field, encode, and check that the bytes say what was decided.
        let content = try attempting(.issuance) { try self.content(for: decided) }
        let issued = try await self.sign(content, row: decided.row)
        // 10. Certificate, outcome, archived key and audit event in one transaction; only then the answer.
        let row = decided.row.with(.issued, .ok, decided.row.issuedMessage).resolved(at: self.surroundings.now())
        try await self.recording(issued.intentID) {
            try await self.storage.write { [self] db in
                try self.storeOutcome(issued, row: row, db)
                try self.storeArchivedKey(decided.archivedKey, row: row, at: self.surroundings.now(), db)
            }
        }
        return EnrollmentResult(row, certificateDER: issued.fields.derBytes)
    }

    /// Which list will name a certificate: by the random part of its serial number, so that all lists are as long.
    /// Stored with the certificate, whose distribution point names it, so that a change of their number moves none.
    func crlShard(of serialNumber: [UInt8]) -> Int {
        let shards = self.configuration.revocation.shards
        guard shards > 0 else { return 0 }
        let random = serialNumber.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return 1 + Int(random % UInt64(shards))
    }

    /// A signed and verified certificate, not yet stored.
    struct SignedCertificate: Sendable {
        var fields: CertificateFields
        var content: CertificateContent
        var intentID: Int64
        /// What the linter found and lets pass.
        var warnings: [LintFinding] = []
    }

    private func content(for decided: DecidedRequest) throws -> CertificateContent {
        let terms = decided.terms
        let validity = try self.issuer.validity(
            of: terms.template, now: self.surroundings.now(), configuration: self.configuration,
            limit: terms.notAfterLimit)
        let serialNumber = try self.serialNumber(for: decided.row.requestID)
        return CertificateContent(
            template: terms.template, subject: terms.subject,
            subjectPublicKeyInfo: decided.request.certificationRequest.subjectPublicKeyInfo,
            serialNumber: serialNumber, notBefore: validity.notBefore, notAfter: validity.notAfter,
            carried: terms.carried.extensions, managerExtensions: decided.managerExtensions,
            crlShard: self.crlShard(of: serialNumber))
    }

    func serialNumber(for requestID: Int64) throws -> [UInt8] {
        try SerialNumberGeneration.make(
            keyIndex: self.issuer.keyIndex, requestID: requestID, randomBytes: self.surroundings.randomBytes)
    }

    /// Steps 7 to 9: encode and check, store the intent, sign on the token and verify.
    func sign(_ content: CertificateContent, row: RequestRecord) async throws -> SignedCertificate {
        let (toBeSigned, warnings) = try self.linted(content)
        // 8. The serial number and the intent are stored before the token is asked.
        let intentID = try await self.storeIntent(
            SigningIntent(
                kind: .certificate, requestID: row.requestID,
                number: PKIMessages.SerialNumber.hex(content.serialNumber),
                toBeSignedSHA256: Digest.sha256.hash(toBeSigned), caKeyIndex: self.issuer.keyIndex,
                createdWhen: self.surroundings.now()))
        // 9. The token signs; CASigningKey verifies.
        do {
            let signature = try await self.signingKey.sign(toBeSigned)
            let certificate = try SignedObject.assemble(
                tbs: toBeSigned, algorithm: self.issuer.signatureAlgorithm, signature: signature)
            return SignedCertificate(
                fields: try CertificateFields(derEncoded: certificate), content: content, intentID: intentID,
                warnings: warnings)
        } catch {
            throw RequestFailure(.signing, error, intentID: intentID)
        }
    }

    /// The bytes to sign, and what is strange about them.
    ///
    /// - Throws: ``RequestFailure`` with the findings when they must not be signed: a denial when the requester's key
    ///   or names are the reason, an error when the CA's own doing is.
    private func linted(_ content: CertificateContent) throws -> ([UInt8], warnings: [LintFinding]) {
        let (decided, bytes) = try attempting(.issuance) {
            let decided = try self.issuer.toBeSigned(content)
            return (decided, try decided.derEncoded())
        }
        let findings = self.linter.lint(
            toBeSigned: bytes, decided: decided, content: content, issuer: self.issuer)
        if let failure = RequestFailure(findings: findings) { throw failure }
        return (bytes, findings)
    }

    private func storeIntent(_ intent: SigningIntent) async throws -> Int64 {
        try await self.storage.write { db in
            if let requestID = intent.requestID { try db.mustBeActive(requestID) }
            return try db.insert(intent)
        }
    }

    /// Certificate row, issued request, closed intent, audit event 791.
    func storeOutcome(_ issued: SignedCertificate, row: RequestRecord, _ db: any StorageWriting) throws {
        try db.mustBeActive(row.requestID)
        let record = CertificateRecord(issued, row: row, caKeyIndex: self.issuer.keyIndex)
        try db.insert(record)
        if !issued.warnings.isEmpty { try db.insert(issued.warnings, forRequest: row.requestID) }
        try db.update(row)
        try db.closeIntent(issued.intentID, outcome: .completed, at: self.surroundings.now())
        try db.append(
            self.event(
                .certificateIssued, who: row.requesterName,
                row.auditDetails([
                    "Serial Number": record.serialNumber, "Subject": record.subject,
                    "Subject Key Identifier": Hexadecimal.lower(record.subjectKeyIdentifier),
                    "SHA-256": Hexadecimal.lower(record.sha256Thumbprint),
                ])))
    }

    /// Names the intent in whatever goes wrong, so that it is closed.
    func recording<R>(_ intentID: Int64, _ body: () async throws -> R) async throws -> R {
        do { return try await body() } catch { throw RequestFailure(.issuance, error, intentID: intentID) }
    }
}

extension RequestRecord {
    /// The disposition message of an issued request.
    fileprivate var issuedMessage: String {
        guard self.resumesAs != nil, let officerName else { return "Issued" }
        return "Resubmitted by \(officerName)"
    }

    func resolved(at date: Date) -> RequestRecord {
        var row = self
        row.resolvedWhen = date
        return row
    }
}

extension CertificateRecord {
    fileprivate init(
        _ issued: CertificationAuthority.SignedCertificate, row: RequestRecord, caKeyIndex: Int
    ) {
        let fields = issued.fields
        self.init(
            requestID: row.requestID, serialNumber: fields.serialHex, certificateDER: fields.derBytes,
            sha1Thumbprint: fields.sha1Thumbprint, sha256Thumbprint: fields.sha256Thumbprint,
            subject: DistinguishedNameText.text(of: fields.subject),
            commonName: DistinguishedNameText.commonName(of: fields.subject),
            userPrincipalName: issued.content.subject.userPrincipalName, requesterName: row.requesterName,
            templateName: issued.content.template.name,
            subjectKeyIdentifier: fields.subjectPublicKeyInfo.keyIdentifier, notBefore: fields.notBefore,
            notAfter: fields.notAfter, caKeyIndex: caKeyIndex, crlShard: issued.content.crlShard)
    }
}

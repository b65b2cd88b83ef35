import Diagnostics
import Foundation
import PKIMessages

extension CertificationAuthority {
    /// Issues a certificate for a request whose row is stored and active.
    ///
    /// - Throws: ``RequestFailure`` with the intent to close; whatever the database throws.
    func issue(_ decided: DecidedRequest) async throws -> EnrollmentResult {
        // 7. Decide every field, encode, and check that the bytes say what was decided.
        let content = try attempting(.issuance) {
            try self.content(for: decided, serialNumber: self.serialNumber(for: decided.row.requestID))
        }
        let issued = try await self.sign(content, row: decided.row)
        return try await self.storeOutcome(issued, of: decided)
    }

    /// A request that is stored together with the intent to sign.
    struct BegunIssuance: Sendable {
        var row: RequestRecord
        fileprivate var content: CertificateContent
        fileprivate var encoding: EncodedContent
        fileprivate var intentID: Int64
    }

    /// Stores a request that is decided and not yet stored, with its serial number and the intent, in one transaction.
    ///
    /// - Throws: ``RequestFailure`` when there is nothing that could be signed, with nothing stored; ``StorageError``.
    func begin(_ decided: DecidedRequest) async throws -> BegunIssuance {
        // Everything but the number of the request, in which the serial number ends, is encoded before.
        let (content, encoding) = try attempting(.issuance) {
            let content = try self.content(for: decided, serialNumber: self.serialNumber(for: 0))
            return (content, try self.encode(content, by: self.currentSigner))
        }
        let now = self.surroundings.now()
        return try await self.storage.write { [self] db in
            var begun = BegunIssuance(row: decided.row, content: content, encoding: encoding, intentID: 0)
            begun.row.requestID = try db.insert(decided.row)
            try begun.number(begun.row.requestID)
            begun.intentID = try db.insert(
                self.intent(begun.content, begun.encoding.bytes, row: begun.row, by: self.currentSigner, at: now))
            try db.append(self.received(begun.row))
            return begun
        }
    }

    /// Lints, signs and stores what was begun.
    ///
    /// - Throws: as ``issue(_:)``.
    func finish(_ begun: BegunIssuance, of decided: DecidedRequest) async throws -> EnrollmentResult {
        var decided = decided
        decided.row = begun.row
        let linted: LintedContent
        do {
            linted = try self.lint(begun.content, begun.encoding, by: self.currentSigner)
        } catch {
            throw RequestFailure.naming(begun.intentID, error)
        }
        return try await self.storeOutcome(
            self.sign(linted, intentID: begun.intentID, by: self.currentSigner), of: decided)
    }

    /// Which list will name a certificate: by the random part of its serial number, so that all lists are as long.
    /// Stored with the certificate, whose distribution point names it, so that a change of their number moves none.
    func crlShard(of serialNumber: [UInt8]) -> Int {
        let shards = self.configuration.revocation.shards
        guard shards > 0 else { return 0 }
        let random = serialNumber.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return 1 + Int(random % UInt64(shards))
    }

    /// A certificate's bytes before they are signed.
    struct EncodedContent: Sendable {
        fileprivate var decided: TBSCertificate
        fileprivate var bytes: [UInt8]
    }

    /// The same, looked at.
    struct LintedContent: Sendable {
        fileprivate var content: CertificateContent
        fileprivate var fields: CertificateFields
        fileprivate var warnings: [LintFinding]
    }

    /// A signed and verified certificate, not yet stored.
    struct SignedCertificate: Sendable {
        var fields: CertificateFields
        var content: CertificateContent
        /// Which of the CA's keys signed it.
        var keyIndex: Int
        var intentID: Int64
        /// What the linter found and lets pass.
        var warnings: [LintFinding] = []
    }

    private func content(for decided: DecidedRequest, serialNumber: [UInt8]) throws -> CertificateContent {
        let terms = decided.terms
        let validity = try self.issuer.validity(
            of: terms.template, now: self.surroundings.now(), configuration: self.configuration,
            limit: terms.notAfterLimit)
        return CertificateContent(
            template: terms.template, subject: terms.subject,
            subjectPublicKeyInfo: decided.request.certificationRequest.subjectPublicKeyInfo,
            serialNumber: serialNumber, notBefore: validity.notBefore, notAfter: validity.notAfter,
            carried: terms.carried.extensions, managerExtensions: decided.managerExtensions,
            crlShard: self.crlShard(of: serialNumber),
            requestName: decided.request.certificationRequest.subjectName)
    }

    func serialNumber(for requestID: Int64, by signer: CASigner? = nil) throws -> [UInt8] {
        try SerialNumberGeneration.make(
            keyIndex: (signer ?? self.currentSigner).keyIndex, requestID: requestID,
            randomBytes: self.surroundings.randomBytes)
    }

    /// Steps 7 to 9 for a request that is stored: encode and check, store the intent, sign on the token and verify.
    ///
    /// - Parameter signer: the newest key when not given.
    func sign(
        _ content: CertificateContent, row: RequestRecord, by signer: CASigner? = nil
    ) async throws -> SignedCertificate {
        let signer = signer ?? self.currentSigner
        let encoding = try attempting(.issuance) { try self.encode(content, by: signer) }
        let linted = try self.lint(content, encoding, by: signer)
        // 8. The serial number and the intent are stored before the token is asked.
        let intent = self.intent(content, encoding.bytes, row: row, by: signer, at: self.surroundings.now())
        let intentID = try await self.storage.write { db in
            try db.mustBeActive(row.requestID)
            return try db.insert(intent)
        }
        return try await self.sign(linted, intentID: intentID, by: signer)
    }

    /// 9. The token signs; ``CASigningKey`` verifies.
    private func sign(
        _ linted: LintedContent, intentID: Int64, by signer: CASigner
    ) async throws -> SignedCertificate {
        do {
            let signature = try await signer.signingKey.sign(linted.fields.tbsBytes)
            return SignedCertificate(
                fields: linted.fields.signed(signature), content: linted.content, keyIndex: signer.keyIndex,
                intentID: intentID, warnings: linted.warnings)
        } catch {
            throw RequestFailure(.signing, error, intentID: intentID)
        }
    }

    private func encode(_ content: CertificateContent, by signer: CASigner) throws -> EncodedContent {
        let decided = try signer.issuer.toBeSigned(content)
        return EncodedContent(decided: decided, bytes: try decided.derEncoded())
    }

    /// Looks at the very bytes that the token will sign.
    private func lint(
        _ content: CertificateContent, _ encoding: EncodedContent, by signer: CASigner
    ) throws -> LintedContent {
        let linter =
            signer.keyIndex == self.currentSigner.keyIndex
            ? self.linter : try self.linter.below([signer.certificate])
        let (fields, warnings) = try linter.read(
            toBeSigned: encoding.bytes, decided: encoding.decided, content: content, issuer: signer.issuer)
        return LintedContent(content: content, fields: fields, warnings: warnings)
    }

    private func intent(
        _ content: CertificateContent, _ toBeSigned: [UInt8], row: RequestRecord, by signer: CASigner, at date: Date
    ) -> SigningIntent {
        SigningIntent(
            kind: .certificate, requestID: row.requestID, number: PKIMessages.SerialNumber.hex(content.serialNumber),
            toBeSignedSHA256: Digest.sha256.hash(toBeSigned), caKeyIndex: signer.keyIndex, createdWhen: date)
    }

    /// 10. Certificate, outcome, archived key and audit event in one transaction, and that the answer is to be signed, when
    /// it is; only then the answer.
    private func storeOutcome(
        _ issued: SignedCertificate, of decided: DecidedRequest
    ) async throws -> EnrollmentResult {
        let now = self.surroundings.now()
        let row = decided.row.with(.issued, .ok, decided.row.issuedMessage).resolved(at: now)
        let outcome = self.outcome(
            issued, row: row, at: now, isOnlyChange: decided.isStoredAsDecided, request: decided.request)
        let result = EnrollmentResult(row, certificateDER: issued.fields.derBytes)
        // A response that cannot be made holds up no certificate: the failure is told with it.
        let bodyPartID = decided.request.message.bodyPartID
        let response: Result<PlannedMessage, any Error>? =
            decided.wantsFullResponse
            ? Result { try self.plannedResponse(to: result, for: row, bodyPartID: bodyPartID) } : nil
        let intentID = try await self.recording(issued.intentID) {
            try await self.storage.write { [self] db in
                try outcome.store(in: db)
                try self.storeArchivedKey(decided.archivedKey, row: row, at: now, db)
                guard case .success(let planned)? = response else { return Int64?.none }
                return try db.insert(planned.intent)
            }
        }
        if case .failure(let error)? = response { return await result.answered { throw error } }
        guard case .success(let planned)? = response, let intentID else { return result }
        return await result.answered { try await self.sign(planned, intentID: intentID) }
    }

    /// Certificate row, issued request, closed intent, audit event 791: made before the transaction, stored in it.
    struct IssuanceOutcome: Sendable {
        fileprivate var certificate: CertificateRecord
        fileprivate var warnings: [LintFinding]
        fileprivate var row: RequestRecord
        fileprivate var intentID: Int64
        fileprivate var event: AuditEvent
        fileprivate var isOnlyChange: Bool

        func store(in db: any StorageWriting) throws {
            if self.isOnlyChange {
                guard try db.settle(self.row) else { throw IssuanceError.superseded(self.row.requestID) }
            } else {
                try db.mustBeActive(self.row.requestID)
                try db.update(self.row)
            }
            try db.insert(self.certificate)
            if !self.warnings.isEmpty { try db.insert(self.warnings, forRequest: self.row.requestID) }
            try db.closeIntent(self.intentID, outcome: .completed, at: self.event.when)
            try db.append(self.event)
        }
    }

    /// - Parameters:
    ///   - isOnlyChange: the row is stored as it is but for the outcome.
    ///   - request: what the certificate was made for; its subject is mostly the same and a text already.
    func outcome(
        _ issued: SignedCertificate, row: RequestRecord, at date: Date, isOnlyChange: Bool = false,
        request: ReceivedRequest? = nil
    ) -> IssuanceOutcome {
        let record = CertificateRecord(issued, row: row, request: request)
        let event = AuditEvent(
            .certificateIssued, when: date, who: row.requesterName,
            details: row.auditDetails([
                "Serial Number": record.serialNumber, "Subject": record.subject,
                "SKI": Hexadecimal.lower(record.subjectKeyIdentifier),
                "SHA-256": Hexadecimal.lower(record.sha256Thumbprint),
            ]))
        return IssuanceOutcome(
            certificate: record, warnings: issued.warnings, row: row, intentID: issued.intentID, event: event,
            isOnlyChange: isOnlyChange)
    }

    /// Names the intent in whatever goes wrong, so that it is closed.
    func recording<R>(_ intentID: Int64, _ body: () async throws -> R) async throws -> R {
        do { return try await body() } catch { throw RequestFailure(.issuance, error, intentID: intentID) }
    }
}

extension CertificationAuthority.BegunIssuance {
    /// Puts the number of the request into the serial number, here and in the bytes to sign.
    fileprivate mutating func number(_ requestID: Int64) throws {
        let serial = SerialNumberGeneration.replacingRequest(in: self.content.serialNumber, by: requestID)
        self.encoding.bytes = try TBSCertificate.settingSerialNumber(serial, in: self.encoding.bytes)
        self.encoding.decided.serialNumber = serial
        self.content.serialNumber = serial
    }
}

extension RequestFailure {
    /// The same failure with the intent to close.
    fileprivate static func naming(_ intentID: Int64, _ error: any Error) -> RequestFailure {
        var failure = (error as? RequestFailure) ?? RequestFailure(.issuance, error)
        failure.intentID = intentID
        return failure
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
        _ issued: CertificationAuthority.SignedCertificate, row: RequestRecord, request: ReceivedRequest?
    ) {
        let fields = issued.fields
        let hasSubjectOfRequest = request?.certificationRequest.subjectDER == fields.subjectDER
        let text = hasSubjectOfRequest ? request?.subjectText : nil
        self.init(
            requestID: row.requestID, serialNumber: fields.serialHex, certificateDER: fields.derBytes,
            sha1Thumbprint: fields.sha1Thumbprint, sha256Thumbprint: fields.sha256Thumbprint,
            subject: text ?? DistinguishedNameText.text(of: fields.subject),
            commonName: DistinguishedNameText.commonName(of: fields.subject),
            userPrincipalName: issued.content.subject.userPrincipalName, requesterName: row.requesterName,
            templateName: issued.content.template.name,
            subjectKeyIdentifier: fields.subjectPublicKeyInfo.keyIdentifier, notBefore: fields.notBefore,
            notAfter: fields.notAfter, caKeyIndex: issued.keyIndex, crlShard: issued.content.crlShard)
    }
}

import Diagnostics
import Foundation
import PKIMessages

extension CertificationAuthority {
    /// Takes a request and decides about it.
    ///
    /// - Returns: issued, pending, denied or error, each stored with its code.
    /// - Throws: ``RequestError`` with code `enrollmentDenied` (0x80094011) when the caller may not enrol here,
    ///   ``StorageError`` when the database fails, and ``IssuanceError`` with code `superseded` when another process
    ///   settled the request meanwhile; nothing else.
    package func submit(_ submission: EnrollmentSubmission) async throws -> EnrollmentResult {
        try submission.caller.mustBeAllowedToEnroll()
        return try await self.uninterrupted { try await self.process(submission) }
    }

    private func process(_ submission: EnrollmentSubmission) async throws -> EnrollmentResult {
        // 1. Read the message. What cannot be read is stored as a failed request, too.
        let received = Result { try self.read(submission) }
        let draft = self.row(of: submission, try? received.get())
        // 2. Store the row and the event that it came: from here on it has a number and gets an outcome. What is decided
        // without asking anybody is decided first, so that row, serial number and intent are one commit.
        let early = await self.decideAtOnce(received, draft, caller: submission.caller)
        if case .success(let decided)? = early, decided.terms.issues,
            let result = try await self.issueAtOnce(decided, submission)
        {
            return result
        }
        let row = try await self.store(draft)
        do {
            var decided = try await self.decide(received, early, row: row, caller: submission.caller)
            decided.wantsFullResponse = submission.wantsFullResponse || decided.request.type == .cmc
            let result = try await self.carryOut(decided)
            guard result.disposition != .issued else { return result }
            return await self.addingFullResponse(
                to: result, for: decided.row, wanted: submission.wantsFullResponse)
        } catch {
            return try await self.failed(error, row: row, submission)
        }
    }

    private func failed(
        _ error: any Error, row: RequestRecord, _ submission: EnrollmentSubmission
    ) async throws -> EnrollmentResult {
        let result = try await self.recordFailure(error, row: row)
        // A token that has just failed is not asked for the signature of a response.
        if (error as? RequestFailure)?.step == .signing { return result }
        return await self.addingFullResponse(to: result, for: row, wanted: submission.wantsFullResponse)
    }

    /// The verdict about a request that neither a program nor a token is asked about; `nil` for others.
    private func decideAtOnce(
        _ received: Result<ReceivedRequest, any Error>, _ draft: RequestRecord, caller: Principal
    ) async -> Result<DecidedRequest, any Error>? {
        guard self.policy.isImmediate, case .success(let request) = received,
            request.fullRequest?.encryptedKeyAttribute == nil
        else { return nil }
        do { return .success(try await self.decide(request, row: draft, caller: caller)) } catch {
            return .failure(error)
        }
    }

    private func decide(
        _ received: Result<ReceivedRequest, any Error>, _ early: Result<DecidedRequest, any Error>?,
        row: RequestRecord, caller: Principal
    ) async throws -> DecidedRequest {
        guard var decided = try early?.get() else {
            let request = try received.mapError { RequestFailure(.parsing, $0) }.get()
            return try await self.decide(request, row: row, caller: caller)
        }
        decided.row.requestID = row.requestID
        return decided
    }

    /// - Returns: `nil` when nothing could be encoded and nothing is stored.
    private func issueAtOnce(
        _ decided: DecidedRequest, _ submission: EnrollmentSubmission
    ) async throws -> EnrollmentResult? {
        var decided = decided
        decided.isStoredAsDecided = true
        decided.wantsFullResponse = submission.wantsFullResponse || decided.request.type == .cmc
        let begun: BegunIssuance
        do {
            begun = try await self.begin(decided)
        } catch is RequestFailure {
            return nil
        }
        do {
            return try await self.finish(begun, of: decided)
        } catch {
            return try await self.failed(error, row: begun.row, submission)
        }
    }

    private func read(_ submission: EnrollmentSubmission) throws -> ReceivedRequest {
        guard submission.attributes.utf8.count <= RequestAttributes.maximumBytes else {
            throw RequestError.attributesTooLong(
                bytes: submission.attributes.utf8.count, limit: RequestAttributes.maximumBytes)
        }
        let bytes = try TextEncoding.decode(submission.requestBytes, what: "certificate request")
        return try ReceivedRequest(derEncoded: bytes, attributes: RequestAttributes(submission.attributes))
    }

    /// The row of a request, without its number.
    private func row(of submission: EnrollmentSubmission, _ request: ReceivedRequest?) -> RequestRecord {
        RequestRecord(
            type: request?.type ?? .pkcs10,
            // The bytes of what cannot be read are not kept: an encrypted private key may be among them.
            rawRequest: request?.storedBytes ?? [],
            attributes: RequestAttributes.withoutSecrets(
                submission.attributes.utf8.count <= RequestAttributes.maximumBytes
                    ? submission.attributes : String(submission.attributes.prefix(RequestAttributes.maximumBytes))),
            requesterName: submission.caller.name, templateName: request?.identification.text,
            subject: request?.subjectText ?? "",
            submittedWhen: self.surroundings.now(), disposition: .active,
            encryptedKeyHash: request?.fullRequest?.encryptedKeyHash, callerName: submission.caller.name)
    }

    /// - Returns: the row with its number.
    func store(_ draft: RequestRecord) async throws -> RequestRecord {
        try await self.storage.write { [self] db in
            var row = draft
            row.requestID = try db.insert(row)
            try db.append(self.received(row))
            return row
        }
    }

    /// The event that a request came, from whoever handed it in.
    func received(_ row: RequestRecord) -> AuditEvent {
        self.event(
            .requestReceived, who: row.callerName ?? row.requesterName,
            row.auditDetails())
    }

    /// A request that may be carried out.
    struct DecidedRequest: Sendable {
        var row: RequestRecord
        var request: ReceivedRequest
        var terms: DecidedTerms
        /// What a certificate manager has set; see ``CertificateContent/managerExtensions``.
        var managerExtensions: [RequestExtension] = []
        var archivedKey: ArchivedKeyDraft?
        /// The row is stored as it is here.
        var isStoredAsDecided = false
        /// The certificate is answered by a full response.
        var wantsFullResponse = false
    }

    private func decide(
        _ request: ReceivedRequest, row: RequestRecord, caller: Principal
    ) async throws -> DecidedRequest {
        // 3. Proof of possession, for CMC the message's own signature, and everybody else's who signed.
        try attempting(.signatureVerification) {
            try request.verifyProofOfPossession(allowsNoSignature: self.configuration.allowsNoSignature)
        }
        let evidence = try await self.evidence(of: request, caller: caller)
        // 4. The encrypted private key is the one that the requester has signed for, and we can take it.
        let encryptedKey = request.fullRequest?.encryptedKeyAttribute
        try await attempting(.archival) {
            try request.fullRequest?.verifyEncryptedKeyHash()
            guard encryptedKey != nil else { return }
            guard let archiver = self.archiver else { throw IssuanceError.archivalNotConfigured() }
            try await archiver.checkReadiness()
        }
        // 5. Which template, what policy says, and whom the certificate will name.
        let terms = try await self.decideByPolicy(request, row: row, caller: caller, evidence: evidence)
        var decided = DecidedRequest(
            row: row.describing(evidence, hasKey: encryptedKey != nil), request: request, terms: terms)
        decided.row.templateName = terms.template.name
        // 6. Archive the key before the verdict is stored: when that fails, nothing is issued.
        if let encryptedKey, let archiver = self.archiver {
            let archival = KeyArchivalRequest(
                requesterName: decided.row.requesterName, encryptedKeyDER: encryptedKey,
                subjectPublicKeyInfo: request.certificationRequest.subjectPublicKeyInfo.derBytes)
            do {
                decided.archivedKey = try await archiver.archive(archival)
            } catch {
                throw RequestFailure(.archival, error)
            }
        }
        return decided
    }

    private func carryOut(_ decided: DecidedRequest) async throws -> EnrollmentResult {
        decided.terms.issues ? try await self.issue(decided) : try await self.pend(decided)
    }

    private func pend(_ decided: DecidedRequest) async throws -> EnrollmentResult {
        let row = decided.row.with(.pending, .ok, "Taken Under Submission")
        let now = self.surroundings.now()
        try await self.storage.write { [self] db in
            try db.mustBeActive(row.requestID)
            try db.update(row)
            try self.storeArchivedKey(decided.archivedKey, row: row, at: now, db)
            try db.append(
                self.event(.requestPending, who: row.requesterName, row.auditDetails(row.requestedKeyDetails())))
        }
        return EnrollmentResult(row)
    }

    func storeArchivedKey(
        _ draft: ArchivedKeyDraft?, row: RequestRecord, at date: Date, _ db: any StorageWriting
    ) throws {
        guard let draft else { return }
        try db.insert(draft.record(forRequest: row.requestID, at: date))
        try db.append(
            self.event(
                .keyArchived, who: row.requesterName,
                row.auditDetails([
                    "KRA Hashes": draft.kraHashes.joined(separator: "\n"),
                    "Evidence SHA-256": Hexadecimal.lower(Digest.sha256.hash(Array(draft.evidenceJSON.utf8))),
                ])))
    }

    /// Stores why a request got no certificate, closes its intent, and records the event, in one transaction.
    ///
    /// - Parameter disposition: what the request becomes; by the failure when not given.
    /// - Throws: the original error when the database does not take that either: start-up settles it then.
    func recordFailure(
        _ error: any Error, row: RequestRecord, disposition: Disposition? = nil
    ) async throws -> EnrollmentResult {
        let failure = (error as? RequestFailure) ?? RequestFailure(.issuance, error)
        var row = row.with(
            disposition ?? failure.disposition, failure.error.hresult, failure.dispositionMessage)
        if row.disposition != .pending { row.resolvedWhen = self.surroundings.now() }
        let failed = row
        do {
            try await self.storage.write { [self] db in
                try db.mustBeActive(failed.requestID)
                try db.update(failed)
                if !failure.findings.isEmpty { try db.insert(failure.findings, forRequest: failed.requestID) }
                if let intentID = failure.intentID {
                    try db.closeIntent(intentID, outcome: .failed, at: self.surroundings.now())
                }
                let details = failure.auditDetails.merging(failed.requestedKeyDetails()) { given, _ in given }
                try db.append(
                    self.event(failure.auditEventID, who: failed.requesterName, failed.auditDetails(details)))
            }
        } catch {
            throw failure.error
        }
        var result = EnrollmentResult(failed)
        result.failure = failure.error
        return result
    }
}

extension RequestRecord {
    /// The same row with what the verified signatures and the key that came along say of it.
    func describing(_ signers: RequestEvidence, hasKey: Bool) -> RequestRecord {
        var row = self
        row.oldCertificateDER = signers.renewedCertificate?.derBytes
        if signers.renewedCertificate != nil { row.flags.insert(.renewal) }
        row.signerApplicationPolicies = signers.signers.flatMap(\.applicationPolicies)
        row.signerPolicies = signers.signers.flatMap(\.issuancePolicies)
        if hasKey { row.flags.insert(.validEncryptedKeyHash) }
        if let onBehalfOf = signers.onBehalfOf {
            row.flags.insert(.enrollOnBehalfOf)
            row.requesterName = onBehalfOf.name
        }
        return row
    }

    /// The same row with a verdict.
    func with(_ disposition: Disposition, _ statusCode: HRESULT, _ message: String) -> RequestRecord {
        var row = self
        row.disposition = disposition
        row.statusCode = statusCode
        row.dispositionMessage = message
        return row
    }

    /// What the security log of Certificate Services has of every request, and more.
    func auditDetails(_ more: [String: String] = [:]) -> [String: String] {
        [
            "Request ID": "\(self.requestID)", "Requester": self.requesterName, "Subject": self.subject,
            "Template": self.templateName ?? "", "Disposition": "\(self.disposition.rawValue)",
            "Attributes": self.attributes,
        ].merging(more) { _, new in new }
    }

    /// The key that the request asks a certificate for, as Windows names it in its events; nothing when it cannot be read.
    func requestedKeyDetails() -> [String: String] {
        // `try?`: what cannot be read names no key.
        guard let key = try? RequestMessage(derEncoded: self.rawRequest).certificationRequest.subjectPublicKeyInfo
        else { return [:] }
        return ["SKI": Hexadecimal.lower(key.keyIdentifier)]
    }
}

extension EnrollmentResult {
    init(_ row: RequestRecord, certificateDER: [UInt8]? = nil) {
        self.init(
            requestID: row.requestID, disposition: row.disposition, statusCode: row.statusCode,
            dispositionMessage: row.dispositionMessage, certificateDER: certificateDER)
    }
}

extension StorageReading {
    /// - Throws: ``IssuanceError`` with code `superseded` when the request has an outcome already.
    func mustBeActive(_ requestID: Int64) throws {
        guard try self.disposition(ofRequest: requestID) == .active else { throw IssuanceError.superseded(requestID) }
    }
}

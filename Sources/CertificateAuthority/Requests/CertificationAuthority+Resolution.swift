import Diagnostics
import Foundation
import PKIMessages

extension CertificationAuthority {
    /// Issues a pending request.
    ///
    /// When that fails by a fault, the request stays pending with the code of the fault.
    ///
    /// - Throws: ``RequestError``: `accessDenied` (0x80070005) without the role of certificate manager,
    ///   `unknownRequest` (0x80094004), `wrongStatus` (0x80094003); ``StorageError``.
    /// - Returns: still pending, with 0x8009400A or 0x8009400B, where the template archives keys and none can be archived.
    package func approve(request requestID: Int64, by manager: Principal) async throws -> EnrollmentResult {
        let operation = "approve request \(requestID)"
        try manager.mustBeAllowed(.approveRequest, to: operation)
        return try await self.uninterrupted {
            let row = try await self.takeUp(requestID, by: manager, operation: operation) { $0 == .pending }
            return try await self.resume(row)
        }
    }

    /// Takes a request up again: a pending one is issued on the manager's word; a denied one goes through policy once more,
    /// which only an administrator may ask for, and is issued when policy does not refuse it.
    ///
    /// No private key is archived now: one that came with a pending request is archived already, and that of a denied
    /// request is gone, so that a template which demands archival refuses it with 0x80094804.
    ///
    /// - Throws: as ``approve(request:by:)``.
    package func resubmit(request requestID: Int64, by manager: Principal) async throws -> EnrollmentResult {
        let operation = "resubmit request \(requestID)"
        // Before anything is said of the request; which of the two it takes depends on its state.
        if !manager.isAllowed(.resubmitDeniedRequest) { try manager.mustBeAllowed(.resubmitRequest, to: operation) }
        let found = try await self.storage.read { try $0.request(requestID) }
        guard let found else { throw RequestError.unknownRequest(requestID, operation: operation) }
        try manager.mustBeAllowed(
            found.disposition == .denied ? .resubmitDeniedRequest : .resubmitRequest, to: operation)
        return try await self.uninterrupted {
            // What it was when the role was asked for is what it must be now.
            let row = try await self.takeUp(requestID, by: manager, operation: operation) {
                $0 == found.disposition && [.pending, .denied].contains($0)
            }
            return try await self.resume(row)
        }
    }

    /// Denies a pending request.
    ///
    /// - Throws: as ``approve(request:by:)``.
    package func deny(request requestID: Int64, by manager: Principal) async throws -> EnrollmentResult {
        let operation = "deny request \(requestID)"
        try manager.mustBeAllowed(.denyRequest, to: operation)
        let row = try await self.storage.write { [self] db in
            let pending = try db.request(requestID, operation: operation) { $0 == .pending }
            try db.mustManage(manager, pending, to: operation)
            var row =
                pending.with(.denied, .adminDeniedRequest, "Denied by \(manager.name)")
                .resolved(at: self.surroundings.now())
            row.officerName = manager.name
            try db.update(row)
            try db.append(
                self.event(.requestDenied, who: manager.name, row.auditDetails(row.requestedKeyDetails())))
            return row
        }
        return await self.addingFullResponse(to: EnrollmentResult(row), for: row, wanted: false)
    }

    /// Makes the request active, so that nobody else takes it up, and notes what it was: a crash gives it that back.
    private func takeUp(
        _ requestID: Int64, by manager: Principal, operation: String,
        where isAllowed: @escaping @Sendable (Disposition) -> Bool
    ) async throws -> RequestRecord {
        try await self.storage.write { [self] db in
            var row = try db.request(requestID, operation: operation, where: isAllowed)
            try db.mustManage(manager, row, to: operation)
            row.resumesAs = row.disposition
            row.disposition = .active
            row.officerName = manager.name
            try db.update(row)
            try db.append(self.event(.requestResubmitted, who: manager.name, row.auditDetails()))
            return row
        }
    }

    private func resume(_ row: RequestRecord) async throws -> EnrollmentResult {
        do {
            let decided = try await self.decideAgain(row)
            let result = try await self.issue(decided)
            return await self.addingFullResponse(to: result, for: decided.row, wanted: false)
        } catch {
            // A fault leaves it where it was; a new verdict of policy is a verdict.
            let isVerdict = (error as? RequestFailure)?.disposition == .denied
            return try await self.recordFailure(
                error, row: row, disposition: isVerdict && row.resumesAs == .denied ? .denied : row.resumesAs)
        }
    }

    /// What was decided when the request came in, from the stored message, with what a manager has changed since.
    private func decideAgain(_ row: RequestRecord) async throws -> DecidedRequest {
        let request = try attempting(.parsing) {
            try ReceivedRequest(derEncoded: row.rawRequest, attributes: RequestAttributes(row.attributes))
        }
        try attempting(.signatureVerification) {
            try request.verifyProofOfPossession(allowsNoSignature: self.configuration.allowsNoSignature)
        }
        let requestID = row.requestID
        let (extensions, archivedKey) = try await self.storage.read {
            (try $0.extensions(ofRequest: requestID), try $0.archivedKey(forRequest: requestID))
        }
        let terms =
            row.resumesAs == .denied
            ? try await self.askAgain(request, row: row, hasArchivedKey: archivedKey != nil)
            : try await self.decideByManager(request, row: row, evidence: row.evidence())
        try await self.mustArchive(terms.template, hasArchivedKey: archivedKey != nil)
        return DecidedRequest(row: row, request: request, terms: terms, managerExtensions: extensions)
    }

    /// Nothing is issued from a template that archives while keys cannot be archived, though its key be archived already:
    /// what stands between agent and key would not be seen before somebody needs the key. Nor is anything issued whose key
    /// is missing, because the template did not archive when the request came.
    private func mustArchive(_ template: CertificateTemplate, hasArchivedKey: Bool) async throws {
        guard template.archivesKeys || hasArchivedKey else { return }
        try await attempting(.archival) {
            guard let archiver = self.archiver else { throw IssuanceError.archivalNotConfigured() }
            try await archiver.checkReadiness()
        }
        guard !hasArchivedKey else { return }
        throw RequestFailure(.policy, PolicyError.archivedKeyRequired(template))
    }

    /// Asks policy about a denied request. That a manager would have to approve it is granted: one has asked.
    private func askAgain(
        _ request: ReceivedRequest, row: RequestRecord, hasArchivedKey: Bool
    ) async throws -> DecidedTerms {
        let caller = try await self.principal(named: row.callerName ?? row.requesterName)
        var evidence = try await self.evidence(of: request, caller: caller)
        evidence.hasArchivedKey = hasArchivedKey
        return try await self.decideByPolicy(request, row: row, caller: caller, evidence: evidence)
    }
}

extension RequestRecord {
    /// What was verified when the request came in, and still holds for whom it names.
    fileprivate func evidence() throws -> RequestEvidence {
        RequestEvidence(
            renewedCertificate: try self.oldCertificateDER.map { try CertificateFields(derEncoded: $0) })
    }
}

extension StorageReading {
    /// The request, when its disposition allows the operation.
    func request(
        _ requestID: Int64, operation: String, where isAllowed: (Disposition) -> Bool
    ) throws -> RequestRecord {
        guard let row = try self.request(requestID) else {
            throw RequestError.unknownRequest(requestID, operation: operation)
        }
        guard isAllowed(row.disposition) else {
            throw RequestError.wrongStatus(requestID, is: row.disposition, operation: operation)
        }
        return row
    }
}

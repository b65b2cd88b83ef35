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
    package func approve(request requestID: Int64, by manager: Principal) async throws -> EnrollmentResult {
        let operation = "approve request \(requestID)"
        try manager.mustBeAllowed(.approveRequest, to: operation)
        return try await self.uninterrupted {
            let row = try await self.takeUp(requestID, by: manager, operation: operation)
            do {
                let decided = try await self.decideAgain(row)
                let result = try await self.issue(decided)
                return await self.addingFullResponse(to: result, for: decided.row, wanted: false)
            } catch {
                return try await self.recordFailure(error, row: row, disposition: .pending)
            }
        }
    }

    /// Denies a pending request.
    ///
    /// - Throws: as ``approve(request:by:)``.
    package func deny(request requestID: Int64, by manager: Principal) async throws -> EnrollmentResult {
        let operation = "deny request \(requestID)"
        try manager.mustBeAllowed(.denyRequest, to: operation)
        let row = try await self.storage.write { [self] db in
            let pending = try db.pendingRequest(requestID, operation: operation)
            try db.mustManage(manager, pending, to: operation)
            let row =
                pending.with(.denied, .adminDeniedRequest, "Denied by \(manager.name)")
                .resolved(at: self.surroundings.now())
            try db.update(row)
            try db.append(self.event(.requestDenied, who: manager.name, row.auditDetails()))
            return row
        }
        return await self.addingFullResponse(to: EnrollmentResult(row), for: row, wanted: false)
    }

    /// Makes the request active, so that nobody else takes it up.
    private func takeUp(_ requestID: Int64, by manager: Principal, operation: String) async throws -> RequestRecord {
        try await self.storage.write { [self] db in
            var row = try db.pendingRequest(requestID, operation: operation)
            try db.mustManage(manager, row, to: operation)
            row.disposition = .active
            try db.update(row)
            try db.append(self.event(.requestResubmitted, who: manager.name, row.auditDetails()))
            return row
        }
    }

    /// What was decided when the request came in, from the stored message. The manager's word replaces the policy's;
    /// a key that came with the request is archived already.
    private func decideAgain(_ row: RequestRecord) async throws -> DecidedRequest {
        let request = try attempting(.parsing) {
            try ReceivedRequest(derEncoded: row.rawRequest, attributes: RequestAttributes(row.attributes))
        }
        try attempting(.signatureVerification) { try request.verifyProofOfPossession() }
        return DecidedRequest(row: row, request: request, terms: try await self.decideByManager(request, row: row))
    }
}

extension StorageReading {
    fileprivate func pendingRequest(_ requestID: Int64, operation: String) throws -> RequestRecord {
        guard let row = try self.request(requestID) else {
            throw RequestError.unknownRequest(requestID, operation: operation)
        }
        guard row.disposition == .pending else {
            throw RequestError.wrongStatus(requestID, is: row.disposition, operation: operation)
        }
        return row
    }
}

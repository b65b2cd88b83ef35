import Diagnostics
import Foundation
import PKIMessages

extension CertificationAuthority {
    /// What became of a request.
    ///
    /// - Parameters:
    ///   - caller: the requester, or somebody with a role that reads the queue.
    ///   - response: what to sign for the answer; nothing is signed for ``ResponseForm/certificateOnly``.
    /// - Throws: ``RequestError``: `unknownRequest` (0x80094004), `accessDenied` (0x80070005); ``StorageError``.
    package func result(
        ofRequest requestID: Int64, for caller: Principal, response: ResponseForm = .asRequested
    ) async throws -> EnrollmentResult {
        let operation = "retrieve request \(requestID)"
        let found = try await self.storage.read { db in
            (try db.request(requestID), try db.certificate(forRequest: requestID))
        }
        guard let row = found.0 else { throw RequestError.unknownRequest(requestID, operation: operation) }
        if row.requesterName != caller.name, row.callerName != caller.name {
            try caller.mustBeAllowed(.readRequests, to: operation)
        }
        let result = EnrollmentResult(row, certificateDER: found.1?.certificateDER)
        guard response != .certificateOnly else { return result }
        return await self.addingFullResponse(to: result, for: row, wanted: response == .full)
    }

    /// Adds a CMC full response when it is wanted or the request was a CMC request.
    ///
    /// A certificate that is stored stays issued when the token fails here: the result then says why there is no
    /// response, and the requester can fetch it later.
    func addingFullResponse(
        to result: EnrollmentResult, for row: RequestRecord, wanted: Bool
    ) async -> EnrollmentResult {
        guard wanted || row.type == .cmc, row.disposition != .active || result.disposition != .active else {
            return result
        }
        return await result.answered {
            let planned = try self.plannedResponse(to: result, for: row, bodyPartID: self.bodyPartID(of: row))
            let intentID = try await self.storage.write { try $0.insert(planned.intent) }
            return try await self.sign(planned, intentID: intentID)
        }
    }

    /// The full response to a request.
    ///
    /// - Parameter bodyPartID: of the certification request in a CMC request, 1 for any other.
    func plannedResponse(
        to result: EnrollmentResult, for row: RequestRecord, bodyPartID: UInt32
    ) throws -> PlannedMessage {
        try self.plan(
            self.fullResponse(to: result, row: row, bodyPartID: bodyPartID), purpose: "full response",
            requestID: row.requestID)
    }

    private func fullResponse(
        to result: EnrollmentResult, row: RequestRecord, bodyPartID: UInt32
    ) throws -> SignedDataDraft {
        let statusInfo: CMCStatusInfo
        switch result.disposition {
        case .issued, .revoked, .caCertificate, .foreign: statusInfo = .issued(bodyPartID: bodyPartID)
        case .pending, .active:
            statusInfo = .pending(
                bodyPartID: bodyPartID,
                pendInfo: PendInfo(
                    requestID: UInt32(truncatingIfNeeded: row.requestID), pendTime: self.surroundings.now()))
        case .denied, .error:
            statusInfo = .failed(bodyPartID: bodyPartID, dispositionMessage: result.dispositionMessage)
        }
        let issued = result.certificateDER.map {
            FullPKIResponse.Issued(certificateDER: $0, encryptedKeyHash: row.encryptedKeyHash)
        }
        // Root first, the issued certificate last (protocols.md 1.6).
        let certificates = self.chainDER.reversed() + (result.certificateDER.map { [$0] } ?? [])
        return try FullPKIResponse.draft(
            statusInfo: statusInfo, issued: issued, certificates: certificates, signer: self.signerIdentifier,
            signatureAlgorithm: self.signatureAlgorithm)
    }

    private func bodyPartID(of row: RequestRecord) throws -> UInt32 {
        guard row.type == .cmc else { return 1 }
        return try RequestMessage(derEncoded: row.rawRequest).bodyPartID
    }
}

extension EnrollmentResult {
    /// The same with a full response, or with why there is none.
    func answered(_ sign: () async throws -> [UInt8]) async -> EnrollmentResult {
        var result = self
        do { result.fullResponseDER = try await sign() } catch {
            if result.failure == nil { result.failure = RequestFailure(.signing, error).error }
        }
        return result
    }
}

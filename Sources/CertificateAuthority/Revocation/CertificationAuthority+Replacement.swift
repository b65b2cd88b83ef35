import Diagnostics
package import Foundation
package import PKIMessages

/// What is to be replaced and by what.
package struct ReplacementOrder: Sendable {
    package static let defaultWindow: TimeInterval = 72 * 3600

    package var serialNumber: String
    package var reason: CRLReason
    /// A request for the same subject with another key: DER, PEM or base64.
    package var requestBytes: [UInt8]
    /// How long the successor can be asked for.
    package var window: TimeInterval

    package init(
        serialNumber: String, reason: CRLReason = .superseded, requestBytes: [UInt8],
        window: TimeInterval = ReplacementOrder.defaultWindow
    ) {
        self.serialNumber = serialNumber
        self.reason = reason
        self.requestBytes = requestBytes
        self.window = window
    }
}

extension CertificationAuthority {
    /// Revokes a certificate and hands in the request for its successor, as one case.
    ///
    /// The request is checked first: same subject and names, another key. Case and revocation are one transaction;
    /// then the request goes the way of every request, in the name of the old one's requester. What a crash or a
    /// refusal leaves is taken up by ``resume(case:requestBytes:by:)``.
    ///
    /// - Throws: ``RequestError``: as ``revoke(serialNumber:reason:effective:invalidity:by:)``, and `unfitReplacement`;
    ///   nothing is revoked then. ``StorageError``.
    package func replace(_ order: ReplacementOrder, by manager: Principal) async throws -> ReplacementStatus {
        let operation = "replace certificate \(order.serialNumber)"
        try manager.mustBeAllowed(.revokeCertificate, to: operation)
        guard order.reason != .certificateHold, order.reason != .removeFromCRL else {
            throw RequestError.unfitReplacement("a certificate that is replaced is revoked for ever", operation)
        }
        let serial = CertificationAuthority.canonicalSerialNumber(order.serialNumber)
        let now = self.surroundings.now()
        let opened = try await self.storage.write { [self] db in
            guard let certificate = try db.certificate(serialNumber: serial) else {
                throw RequestError.unknownSerialNumber(serial, operation: operation)
            }
            try db.mustManage(
                manager, requester: certificate.requesterName, template: certificate.templateName, to: operation)
            // Of two replacements of one certificate the second is refused as a second revocation is.
            if let earlier = certificate.revocation, earlier.reason != CRLReason.certificateHold.rawValue {
                throw RequestError.wrongRevocationStatus(serial, "the certificate is revoked already")
            }
            try self.checkSuccessor(order.requestBytes, of: certificate, operation)
            var opened = ReplacementCase(
                serialNumber: serial, requesterName: certificate.requesterName,
                templateName: certificate.templateName ?? "", subject: certificate.subject,
                reason: order.reason.rawValue, openedWhen: now, openedBy: manager.name,
                deadline: now.addingTimeInterval(order.window), requestBytes: order.requestBytes,
                lastRequestID: try db.requests(with: nil, limit: 1).first?.requestID ?? 0)
            opened.caseID = try db.insert(opened)
            try self.storeRevocation(
                certificate, reason: order.reason, effective: now, invalidity: nil, by: manager,
                details: ["Case": "\(opened.caseID)"], db)
            try db.append(
                self.event(
                    .replacementOpened, who: manager.name,
                    [
                        "Case": "\(opened.caseID)", "Serial Number": serial, "Requester": opened.requesterName,
                        "Until": "\(opened.deadline)",
                    ]))
            return opened
        }
        return try await self.submitSuccessor(opened, by: manager)
    }

    /// Takes up a case whose successor was not asked for yet, or was refused.
    ///
    /// - Parameter requestBytes: another request; the one of the case when `nil`.
    /// - Throws: ``RequestError``: `unknownCase`, `unfitReplacement`, also after the case's window.
    package func resume(
        case caseID: Int64, requestBytes: [UInt8]? = nil, by manager: Principal
    ) async throws -> ReplacementStatus {
        let operation = "take up case \(caseID)"
        try manager.mustBeAllowed(.revokeCertificate, to: operation)
        let status = try await self.storage.read { try $0.status(ofCase: caseID) }
        guard status.state == .revoked || status.state == .refused else { return status }
        guard self.surroundings.now() <= status.replacement.deadline else {
            throw RequestError.unfitReplacement("its window ended at \(status.replacement.deadline)", operation)
        }
        var replacement = status.replacement
        if let requestBytes {
            replacement.requestBytes = requestBytes
            let changed = replacement
            try await self.storage.write { [self] db in
                guard let certificate = try db.certificate(serialNumber: changed.serialNumber) else {
                    throw RequestError.unknownSerialNumber(changed.serialNumber, operation: operation)
                }
                try self.checkSuccessor(requestBytes, of: certificate, operation)
                try db.update(changed)
            }
        }
        return try await self.submitSuccessor(replacement, by: manager)
    }

    private func submitSuccessor(
        _ replacement: ReplacementCase, by manager: Principal
    ) async throws -> ReplacementStatus {
        let result = try await self.submit(
            EnrollmentSubmission(
                requestBytes: replacement.requestBytes, attributes: replacement.requestAttributes,
                caller: Principal(name: replacement.requesterName, roles: [.enrollee])))
        var answered = replacement
        answered.newRequestID = result.requestID
        let changed = answered
        try await self.storage.write { [self] db in
            try db.update(changed)
            try db.append(
                self.event(
                    .replacementAnswered, who: manager.name,
                    [
                        "Case": "\(changed.caseID)", "Request ID": "\(result.requestID)",
                        "Disposition": "\(result.disposition.rawValue)", "Status": result.dispositionMessage,
                    ]))
        }
        return try await self.storage.read { try $0.status(ofCase: changed.caseID) }
    }

    /// The successor is for the same subject and names, and has another key.
    private func checkSuccessor(
        _ requestBytes: [UInt8], of certificate: CertificateRecord, _ operation: String
    ) throws {
        let bytes = try TextEncoding.decode(requestBytes, what: "certificate request")
        let received = try ReceivedRequest(derEncoded: bytes, attributes: RequestAttributes(""))
        let request = received.certificationRequest
        let old = try CertificateFields(derEncoded: certificate.certificateDER)
        guard request.subjectPublicKeyInfo != old.subjectPublicKeyInfo else {
            throw RequestError.unfitReplacement("the request has the key that was lost", operation)
        }
        // An empty subject leaves the subject to the template, which builds it of the same requester.
        guard request.subject.isEmpty || request.subjectDER == old.subjectDER else {
            throw RequestError.unfitReplacement("the request is for another subject", operation)
        }
        let names = try ExtensionDecoding(old.extensions).subjectAlternativeNames()
        guard received.alternativeNames.isEmpty || Set(received.alternativeNames) == Set(names) else {
            throw RequestError.unfitReplacement("the request is for other alternative names", operation)
        }
    }
}

extension StorageReading {
    /// - Throws: ``RequestError`` with code `unknownCase`.
    package func status(ofCase caseID: Int64) throws -> ReplacementStatus {
        guard let replacement = try self.replacementCase(caseID) else { throw RequestError.unknownCase(caseID) }
        return try self.status(of: replacement)
    }

    /// How far a case is.
    package func status(of replacement: ReplacementCase) throws -> ReplacementStatus {
        var replacement = replacement
        // A crash after the request was handed in has kept its number from the case.
        if replacement.newRequestID == nil {
            replacement.newRequestID = try self.request(
                ofCase: replacement.caseID, after: replacement.lastRequestID)
        }
        guard let requestID = replacement.newRequestID, let row = try self.request(requestID) else {
            return ReplacementStatus(replacement: replacement, state: .revoked)
        }
        let state: ReplacementState =
            switch row.disposition {
            case .issued, .revoked: .replaced
            case .denied, .error: .refused
            default: .pending
            }
        return ReplacementStatus(
            replacement: replacement, state: state, dispositionMessage: row.dispositionMessage,
            newSerialNumber: try self.certificate(forRequest: requestID)?.serialNumber)
    }
}

extension RequestError {
    static func unfitReplacement(_ reason: String, _ operation: String) -> RequestError {
        RequestError(
            code: .unfitReplacement, operation: operation, reason: reason, hresult: .invalidParameter, facts: [],
            advice: ["Make a request for the same subject and names with a new key; see docs/revocation.md."])
    }

    static func unknownCase(_ caseID: Int64) -> RequestError {
        RequestError(
            code: .unknownCase, operation: "look case \(caseID) up", reason: "there is no such case",
            hresult: .objectNotFound, facts: [], advice: ["List the cases with `signet case list`."])
    }
}

import CAService
import CertificateAuthority
import Foundation
import KeyProvider
import PKIMessages

/// What an authority does in a sweep, one step after the other.
enum Step: String {
    case issue
    case revoke
    case publishCRL = "publish-crl"
    case renewWithNewKey = "renew-with-new-key"
    case linkKeys = "link-keys"
    case renewWithSameKey = "renew-with-same-key"
    case changeRoles = "change-roles"

    /// 20 issued, 5 revoked, CRL, renewals with the links between the keys, role change, and a CRL of both keys.
    static let scenario: [Step] =
        Array(repeating: .issue, count: 20) + Array(repeating: .revoke, count: 5)
        + [.publishCRL, .renewWithNewKey, .linkKeys, .changeRoles, .renewWithSameKey, .publishCRL]

    static let roleHolder = "EXAMPLE\\manager"
}

/// An authority that was opened, as a command or the service opens it: what a crash left is settled by that.
struct Scene {
    let instance: Instance
    let operatorPrincipal: Principal
    private let request: [UInt8]

    init(_ directory: String, request: [UInt8]) async throws {
        self.instance = try Instance.open(directory, secrets: .system)
        self.operatorPrincipal = try await self.instance.localOperator()
        self.request = request
        _ = try await self.instance.authority()
    }

    /// Opens the token, so that what is counted are the calls of a step.
    func openToken() async throws {
        _ = try await self.instance.token(named: self.instance.configuration.signingToken).keyPairs()
    }

    /// - Returns: what is acknowledged: a serial number, a CRL number, a count, a name.
    func perform(_ step: Step) async throws -> String {
        let authority = try await self.instance.authority()
        switch step {
        case .issue:
            let result = try await authority.submit(
                EnrollmentSubmission(
                    requestBytes: self.request, attributes: "CertificateTemplate:WebServer",
                    caller: Principal(name: "EXAMPLE\\alice", roles: [.enrollee])))
            guard let certificate = result.certificateDER else {
                throw result.failure ?? SceneError("request \(result.requestID) was not issued")
            }
            return try CertificateFields(derEncoded: certificate).serialHex
        case .revoke:
            guard let serial = try await self.serialNumberInForce() else {
                throw SceneError("there is nothing to revoke")
            }
            try await authority.revoke(
                serialNumber: serial, reason: .superseded, by: self.operatorPrincipal)
            return serial
        case .publishCRL:
            let published = try await authority.publishCRLs(CRLOrder(.base), by: self.operatorPrincipal)
            return published.map { "\($0.record.number)" }.joined(separator: " ")
        case .renewWithNewKey, .renewWithSameKey:
            let renewal = AuthorityRenewal(
                self.instance, newKeyAlgorithm: step == .renewWithNewKey ? .p256 : nil, settings: nil,
                by: self.operatorPrincipal)
            _ = try await renewal.renewRoot(validity: nil)
            return "\(try await self.instance.formerAuthorityCertificates().count + 1)"
        case .linkKeys:
            try await self.instance.issueMissingLinks(by: self.operatorPrincipal) { _ in }
            return "\(try await self.instance.linkCertificates().count)"
        case .changeRoles:
            try await self.instance.setUser(
                Step.roleHolder, password: nil, roles: [.certificateManager], by: self.operatorPrincipal)
            return Step.roleHolder
        }
    }

    /// Kills after the commit of a revocation use up certificates: what is to be revoked is issued beside the count.
    func prepare(for step: Step) async throws {
        guard step == .revoke, try await self.serialNumberInForce() == nil else { return }
        _ = try await self.perform(.issue)
    }

    private func serialNumberInForce() async throws -> String? {
        try await self.instance.storage.read { db in
            guard let row = try db.requests(with: .issued, limit: 1).first else { return nil }
            return try db.certificate(forRequest: row.requestID)?.serialNumber
        }
    }

    func close() async { await self.instance.tokens.close() }
}

struct SceneError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

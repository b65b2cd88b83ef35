package import CertificateAuthority
import Diagnostics
import Foundation
package import PKIMessages

/// A CA's request at its parent's enrolment service, from before it is sent until its certificate is in place. What a
/// crash or an absent network interrupts is resumed.
package struct ParentEnrollment: Sendable {
    package enum Outcome: Sendable {
        /// - root: the end of the chain, for an operator to compare.
        case installed(InstalledCertificate, root: CertificateFields)
        /// A certificate manager of the parent has to decide.
        case pending(requestID: Int64)
    }

    /// Kept among the instance's settings.
    private struct Waiting: Codable {
        static let setting = "ca.parent-request"

        /// DER.
        var request: [UInt8]
        /// `nil` until the parent has said its number.
        var requestID: Int64?
    }

    private let instance: Instance
    private let parent: CertsrvClient

    package init(_ instance: Instance, parent: CertsrvClient) {
        self.instance = instance
        self.parent = parent
    }

    /// Sends a request.
    ///
    /// - Parameter request: DER, for the instance's pending key.
    /// - Throws: ``ServiceError``, also with code `parentRefused` when the parent issues nothing; what installing throws.
    package func submit(_ request: [UInt8], by who: Principal) async throws -> Outcome {
        try who.mustBeAllowed(.manageCACertificates, to: "ask the parent CA for a certificate")
        let waiting = Waiting(request: request, requestID: nil)
        try await self.store(waiting)
        return try await self.submit(waiting, who)
    }

    /// Goes on where a request stands: sends one that was not sent, asks after one that waits.
    ///
    /// - Throws: ``ServiceError`` with code `nothingToInstall` when none waits.
    package func resume(by who: Principal) async throws -> Outcome {
        try who.mustBeAllowed(.manageCACertificates, to: "ask the parent CA for a certificate")
        let text = try await self.instance.storage.read { try $0.setting(Waiting.setting) }
        guard let text, !text.isEmpty else {
            throw ServiceError.nothingToInstall(self.instance.configuration.name)
        }
        let waiting = try JSONDecoder().decode(Waiting.self, from: Data(text.utf8))
        guard let number = waiting.requestID else { return try await self.submit(waiting, who) }
        return try await self.settle(self.parent.result(ofRequest: number), who)
    }

    private func submit(_ waiting: Waiting, _ who: Principal) async throws -> Outcome {
        let result = try await self.parent.submit(
            waiting.request, attributes: "CertificateTemplate:\(CAInstallation.subordinateTemplateName)")
        if result.disposition == .pending || result.disposition == .issued {
            try await self.store(Waiting(request: waiting.request, requestID: result.requestID))
        }
        return try await self.settle(result, who)
    }

    private func settle(_ result: EnrollmentResult, _ who: Principal) async throws -> Outcome {
        switch result.disposition {
        case .pending, .active: return .pending(requestID: result.requestID)
        case .issued:
            guard let certificate = result.certificateDER else { throw ServiceError.notIssued(result.requestID) }
            let chain = try await self.parent.chain(ofRequest: result.requestID)
            let installed = try await self.instance.installCertificate(
                certificate, chain: chain.map(\.derBytes), by: who)
            let path = try await self.instance.authorityCertificates()
            return .installed(installed, root: path[path.count - 1])
        default:
            try await self.instance.storage.write { try ParentEnrollment.forget($0) }
            throw ServiceError.parentRefused(result)
        }
    }

    /// Forgets what the parent was asked: it was answered, or is given up.
    static func forget(_ transaction: any StorageWriting) throws {
        guard try transaction.setting(Waiting.setting)?.isEmpty == false else { return }
        try transaction.setSetting(Waiting.setting, to: "")
    }

    private func store(_ waiting: Waiting) async throws {
        let text = String(decoding: try JSONEncoder().encode(waiting), as: UTF8.self)
        try await self.instance.storage.write { try $0.setSetting(Waiting.setting, to: text) }
    }
}

extension ServiceError {
    fileprivate static func parentRefused(_ result: EnrollmentResult) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "parentRefused"),
            headline: "The parent CA issued no certificate: \(result.dispositionMessage).", hresult: result.statusCode,
            facts: [Fact("request", "\(result.requestID)")],
            advice: ["Ask the parent's administrators; then renew again, or remove the instance and make it again."])
    }
}

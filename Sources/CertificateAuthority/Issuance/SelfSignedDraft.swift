import Foundation
import PKIMessages
import X509

/// A self-signed CA certificate that is to be made: intent before the signature, outcome and audit event after it, as
/// for every certificate.
struct SelfSignedDraft: Sendable {
    let nameDER: [UInt8]
    let nameText: String
    let position: CACertificatePosition
    /// Everything but identifiers, version and the hash of the previous certificate.
    let content: [Certificate.Extension]
    /// From now, in seconds.
    let validity: TimeInterval
    let clockSkew: TimeInterval

    /// - Parameter settling: what else is stored in the transaction of the outcome.
    func sign(
        with key: CASigningKey, by who: Principal, storage: any CAStorage, surroundings: Surroundings,
        settling: @escaping @Sendable (any StorageWriting) throws -> Void = { _ in }
    ) async throws -> CACertificateRecord {
        let now = surroundings.now()
        var row = RequestRecord(
            type: .internalRequest, rawRequest: [], attributes: "", requesterName: who.name, templateName: nil,
            subject: self.nameText, submittedWhen: now, disposition: .active)
        row.requestID = try await storage.write { [row] in try $0.insert(row) }
        let recorder = InstallationRecorder(
            storage: storage, surroundings: surroundings, row: row, position: self.position, settling: settling)
        do {
            let serial = try SerialNumberGeneration.make(
                keyIndex: self.position.keyIndex, requestID: row.requestID, randomBytes: surroundings.randomBytes)
            let toBeSigned = try TBSCertificate(
                serialNumber: serial, signatureAlgorithm: key.algorithm, issuerDER: self.nameDER,
                notBefore: now.addingTimeInterval(-self.clockSkew).wholeSeconds,
                notAfter: now.addingTimeInterval(self.validity).wholeSeconds, subjectDER: self.nameDER,
                subjectPublicKeyInfo: key.subjectPublicKeyInfo,
                extensions: CACertificateExtensions.all(
                    self.content, key: key.subjectPublicKeyInfo, position: self.position)
            ).derEncoded()
            return try await recorder.sign(toBeSigned, serialNumber: serial, with: key)
        } catch {
            throw try await recorder.recordFailure(error)
        }
    }
}

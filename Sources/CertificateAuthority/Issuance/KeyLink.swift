import Foundation
import PKIMessages
import X509

/// A certificate that ties two successive keys of a root together, so that who trusts only the one follows a chain to the
/// other (RFC 4210, section 4.4; the cross-certificates `CA(0-1).crt` and `CA(1-0).crt` of Windows).
package struct KeyLink: Sendable {
    /// ``CACertificateRecord/Use/newWithOld`` or ``CACertificateRecord/Use/oldWithNew``.
    package let use: CACertificateRecord.Use
    /// Index of the CA certificate at which the key of the subject ended or began.
    package let index: Int
    let signer: CASigner
    /// The newest own certificate of the key that is certified.
    let subject: CertificateFields

    /// The links that a root could have and does not: of keys that follow one another while both are valid.
    ///
    /// - Parameters:
    ///   - signers: in the order of their keys.
    ///   - records: all CA certificates of the instance.
    static func missing(
        among signers: [CASigner], records: [CACertificateRecord], at date: Date
    ) -> [KeyLink] {
        zip(signers, signers.dropFirst()).flatMap { old, new -> [KeyLink] in
            guard old.certificate.isSelfSigned, new.certificate.isSelfSigned, old.notAfter > date, new.notAfter > date
            else { return [] }
            let own = records.filter { $0.use == .own && $0.keyIndex == new.keyIndex }.map(\.index)
            let first = own.min() ?? new.certificateIndex
            // Who has the new certificate needs the old key first: it signed all that is in use. It costs no old token.
            return [
                KeyLink(use: .oldWithNew, index: first - 1, signer: new, subject: old.certificate),
                KeyLink(use: .newWithOld, index: first, signer: old, subject: new.certificate),
            ]
        }.filter { link in !records.contains { $0.use == link.use && $0.index == link.index } }
    }

    /// From when on the key that is certified was in use to the end of the one that ends first.
    func validity(clockSkew: TimeInterval, now: Date) -> (notBefore: Date, notAfter: Date) {
        let start =
            self.use == .oldWithNew
            ? self.subject.notBefore : max(now.addingTimeInterval(-clockSkew), self.signer.certificate.notBefore)
        return (start.wholeSeconds, min(self.subject.notAfter, self.signer.certificate.notAfter).wholeSeconds)
    }

    /// The template of cross-certificates, which does not stand in the certificate: a link says what the CA says of itself.
    var template: CertificateTemplate {
        var template = BuiltInTemplates.crossCA
        template.schemaVersion = 0
        template.certificationAuthority = .init(pathLength: self.subject.pathLength)
        return template
    }
}

extension CACertificateRecord {
    /// How the file of a link is named: `(0-1)` says that the key of certificate 0 has signed that of certificate 1.
    package var linkSuffix: String? {
        switch self.use {
        case .newWithOld: "(\(self.index - 1)-\(self.index))"
        case .oldWithNew: "(\(self.index + 1)-\(self.index))"
        case .own, .chain: nil
        }
    }
}

extension CertificateFields {
    fileprivate var pathLength: Int? {
        guard case .isCertificateAuthority(let length) = self.basicConstraints else { return nil }
        return length
    }
}

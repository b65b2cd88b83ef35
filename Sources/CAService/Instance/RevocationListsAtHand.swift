import CertificateAuthority
import Foundation
import PKIMessages

/// What an opened CA is to do.
package enum AuthorityUse: Sendable {
    /// Issue, publish CRLs: its certificate must be valid.
    case signing
    /// Revoke, deny, look: work on the database, also when the certificate has expired or is revoked.
    case records
}

extension Instance {
    /// The CRLs that an operator has put into `publish/` under the names in the certificates' distribution points.
    ///
    /// - Throws: ``PKIMessageError`` for a file that is no CRL.
    func revocationListsAtHand(of path: [CertificateFields]) throws -> [CertificateListFields] {
        let own = path[0].subjectDER
        let names = try path.filter { !$0.isSelfIssued || $0.subjectDER != own }.flatMap { certificate in
            try ExtensionDecoding(certificate.extensions).crlDistributionPointURLs().compactMap(Self.fileName)
        }
        return try Set(names).sorted().compactMap { name in
            let file = "\(self.layout.publicationDirectory)/\(name)"
            guard FilePaths.exists(file) else { return nil }
            return try CertificateListFields(derEncoded: FilePaths.read(file))
        }
    }

    /// The last part of a URL's path, decoded; `nil` when it cannot be a file in one directory.
    private static func fileName(_ url: String) -> String? {
        guard let last = url.split(separator: "/").last?.removingPercentEncoding, last.lowercased().hasSuffix(".crl"),
            !last.hasPrefix("."), !last.contains("/"), !last.contains("\0")
        else { return nil }
        return last
    }
}

import Foundation
package import PKIMessages

/// Several certificates in one PEM file, or one in DER.
package enum CertificateBundle {
    private static let begin = "-----BEGIN CERTIFICATE-----"
    private static let end = "-----END CERTIFICATE-----"

    /// In the order of the file.
    ///
    /// - Throws: `PKIMessageError` for a block that is no certificate.
    package static func parse(_ bytes: [UInt8]) throws -> [CertificateFields] {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.contains(CertificateBundle.begin) else {
            return [try CertificateFields(derEncoded: TextEncoding.decode(bytes, what: "certificate"))]
        }
        return try text.components(separatedBy: CertificateBundle.begin).dropFirst().map { block in
            let body = block.components(separatedBy: CertificateBundle.end)[0]
            let pem = CertificateBundle.begin + body + CertificateBundle.end + "\n"
            return try CertificateFields(derEncoded: TextEncoding.decode(Array(pem.utf8), what: "certificate"))
        }
    }
}

import CertificateAuthority
import Foundation
package import PKIMessages
package import SecretMemory

/// Certificates in the formats that other programs take. No private key is in any of them but ``pkcs12``, which passes on
/// the key of a PKCS #12 that was given.
package enum CertificateExport {
    package enum Format: String, Sendable, CaseIterable {
        /// The certificate, then those above it, in PEM.
        case pem
        /// The certificate alone.
        case der
        /// A PKCS #7 without signature: the certificate first, then its issuer, the root last.
        case pkcs7
        /// The same in PEM.
        case pkcs7PEM = "pkcs7-pem"
        /// A trust store for Java: PKCS #12 with the attribute that marks trusted certificates.
        case java
        /// A provisioning document for Windows Mobile, with the root in the store ROOT and the others in CA.
        case windowsMobile = "windows-mobile"
    }

    /// - Parameter path: the certificate, then those above it, the root last.
    package static func document(_ format: Format, of path: [CertificateFields]) throws -> [UInt8] {
        switch format {
        case .pem:
            return Array(path.map { TextEncoding.pem($0.derBytes, label: "CERTIFICATE") }.joined().utf8)
        case .der: return path.first?.derBytes ?? []
        case .pkcs7: return try SignedData.degenerate(certificates: path.map(\.derBytes))
        case .pkcs7PEM:
            return Array(
                TextEncoding.pem(try SignedData.degenerate(certificates: path.map(\.derBytes)), label: "PKCS7").utf8)
        case .windowsMobile: return Array(self.provisioning(path).utf8)
        case .java: throw PKIMessageError.invalidValue("trust store", "it is made with a password")
        }
    }

    /// - Parameter roots: to be trusted for every purpose.
    package static func javaTrustStore(_ roots: [CertificateFields], password: SecretBytes) throws -> SecretBytes {
        try PKCS12.trustStore(
            roots.map { (certificate: $0.derBytes, name: self.name(of: $0)) }, password: password)
    }

    /// One file a root for Debian's `/usr/local/share/ca-certificates`, by its name.
    package static func debianFiles(_ roots: [CertificateFields]) throws -> [(name: String, bytes: [UInt8])] {
        try roots.map { (self.name(of: $0) + ".crt", try self.document(.pem, of: [$0])) }
    }

    /// A file and alias name: the common name in plain characters, and the start of the thumbprint, so that two CAs of one
    /// name have two.
    package static func name(of certificate: CertificateFields) -> String {
        let text = DistinguishedNameText.commonName(of: certificate.subject) ?? "ca"
        let plain = text.lowercased().map { character -> Character in
            character.isASCII && (character.isLetter || character.isNumber) ? character : "-"
        }
        return String(plain.prefix(48)) + "-" + Hexadecimal.lower(certificate.sha256Thumbprint.prefix(4))
    }

    /// CertificateStore configuration service provider of Windows Mobile.
    private static func provisioning(_ path: [CertificateFields]) -> String {
        let stores = [("ROOT", path.filter(\.isSelfIssued)), ("CA", path.filter { !$0.isSelfIssued })]
        var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<wap-provisioningdoc>"]
        lines.append("  <characteristic type=\"CertificateStore\">")
        for (store, certificates) in stores where !certificates.isEmpty {
            lines.append("    <characteristic type=\"\(store)\">")
            for certificate in certificates {
                let thumbprint = Hexadecimal.lower(certificate.sha1Thumbprint)
                let encoded = Data(certificate.derBytes).base64EncodedString()
                lines += [
                    "      <characteristic type=\"\(thumbprint)\">",
                    "        <parm name=\"EncodedCertificate\" value=\"\(encoded)\"/>", "      </characteristic>",
                ]
            }
            lines.append("    </characteristic>")
        }
        return (lines + ["  </characteristic>", "</wap-provisioningdoc>", ""]).joined(separator: "\n")
    }
}

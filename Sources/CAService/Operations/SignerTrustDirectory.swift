import CertificateAuthority
import Foundation
import PKIMessages

/// Certificates (`*.crt`, `*.cer`, `*.pem`) and revocation lists (`*.crl`) in a directory, DER or PEM, read at each use.
struct SignerTrustDirectory: SignerTrust {
    let path: String

    func material() throws -> SignerTrustMaterial {
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: self.path) } catch {
            throw ServiceError.unreadable(self.path, error.localizedDescription)
        }
        var material = SignerTrustMaterial(certificates: [], certificateLists: [])
        for name in names.sorted() {
            let file = "\(self.path)/\(name)"
            switch URL(fileURLWithPath: file).pathExtension.lowercased() {
            case "crt", "cer", "pem":
                material.certificates += try CertificateBundle.parse(FilePaths.read(file))
            case "crl":
                let bytes = try FilePaths.read(file, limit: DERLimits.maximumCertificateListBytes)
                material.certificateLists.append(
                    try CertificateListFields(
                        derEncoded: TextEncoding.decode(
                            bytes, what: "certificate revocation list",
                            maximumBytes: 2 * DERLimits.maximumCertificateListBytes)))
            default: break
            }
        }
        return material
    }
}

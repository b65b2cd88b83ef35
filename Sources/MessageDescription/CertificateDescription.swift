import PKIMessages
import SwiftASN1
import X509

extension DescriptionText {
    mutating func describe(_ certificate: CertificateFields) {
        self.line("X509 Certificate:")
        self.line("Version: \(certificate.version + 1)")
        self.line("Serial Number: \(certificate.serialHex.lowercased())")
        self.algorithm(
            "Signature Algorithm", certificate.signatureAlgorithm.algorithm,
            parameters: certificate.signatureAlgorithm.parametersDER)
        self.name("Issuer", certificate.issuer)
        self.line()
        self.line(" NotBefore: \(self.style.time(certificate.notBefore))")
        self.line(" NotAfter: \(self.style.time(certificate.notAfter))")
        self.line()
        self.name("Subject", certificate.subject)
        self.line()
        self.publicKey(certificate.subjectPublicKeyInfo)
        self.certificateExtensions("Certificate Extensions", certificate.extensions)
        self.line()
        self.signature(certificate.signatureAlgorithm, certificate.signature)
        if certificate.isSelfIssued {
            self.line("Root Certificate: Subject matches Issuer")
            self.verdict(of: "Public Key") {
                try certificate.subjectPublicKeyInfo.isValidSignature(
                    certificate.signature, over: certificate.tbsBytes, algorithm: certificate.signatureAlgorithm)
            }
        } else {
            self.line("Non-root Certificate")
        }
        self.keyHashes(certificate.subjectPublicKeyInfo)
        self.line("Cert Hash(sha1): \(DescriptionText.octets(certificate.sha1Thumbprint))")
        self.line("Cert Hash(sha256): \(DescriptionText.octets(certificate.sha256Thumbprint))")
    }

    /// A certificate among others, in short.
    mutating func summarize(_ certificate: CertificateFields) {
        self.line("Serial Number: \(certificate.serialHex.lowercased())")
        self.line("Issuer: \(certificate.issuer)")
        self.line(" NotBefore: \(self.style.time(certificate.notBefore))")
        self.line(" NotAfter: \(self.style.time(certificate.notAfter))")
        self.line("Subject: \(certificate.subject)")
        self.line(certificate.isSelfIssued ? "Root Certificate: Subject matches Issuer" : "Non-root Certificate")
        self.line("Cert Hash(sha1): \(DescriptionText.octets(certificate.sha1Thumbprint))")
    }

    mutating func describe(_ list: CertificateListFields) {
        self.line("X509 Certificate Revocation List:")
        self.line("Version: \(list.extensions.isEmpty ? 1 : 2)")
        self.algorithm(
            "Signature Algorithm", list.signatureAlgorithm.algorithm, parameters: list.signatureAlgorithm.parametersDER)
        self.name("Issuer", list.issuer)
        self.line()
        self.line(" ThisUpdate: \(self.style.time(list.thisUpdate))")
        self.line(" NextUpdate: \(list.nextUpdate.map(self.style.time) ?? "EMPTY")")
        self.line("CRL Entries: \(list.entries.count)")
        for entry in list.entries { self.describe(entry) }
        self.line()
        self.certificateExtensions("CRL Extensions", list.extensions)
        self.line()
        self.signature(list.signatureAlgorithm, list.signature)
        self.line("CRL Hash(sha1): \(DescriptionText.octets(Digest.sha1.hash(list.derBytes)))")
    }

    private mutating func describe(_ entry: RevokedEntry) {
        self.indented(by: 2) { text in
            text.line("Serial Number: \(SerialNumber.hex(entry.serialNumber).lowercased())")
            text.line(" Revocation Date: \(text.style.time(entry.revocationDate))")
            if let reason = entry.reason { text.line(" CRL Reason Code: \(reason.rawValue) (\(reason.name))") }
            if let date = entry.invalidityDate { text.line(" Invalidity Date: \(text.style.time(date))") }
        }
    }
}

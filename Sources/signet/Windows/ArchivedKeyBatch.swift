import CertificateAuthority
import KeyArchival
import PKIMessages

/// What `certutil -getkey` prints of archived keys: a listing, or a batch file that recovers all of them.
///
/// The form is that of the white paper, with one difference: its passwords stood in the batch file and in the arguments of
/// its commands, where everybody can read them. Here each command asks for them.
struct ArchivedKeyBatch {
    let authority: String
    let keys: [CertificateRecord]
    let time: WindowsTime

    var querying: String { "Querying \(self.authority)....." }
    var title: String { "\"\(self.authority)\"" }

    var listing: [String] {
        [self.querying, "", self.title] + self.keys.flatMap(self.block)
    }

    private func block(_ key: CertificateRecord) -> [String] {
        let thumbprint = key.sha1Thumbprint.map { Hexadecimal.lower([$0]) }.joined(separator: " ")
        return [
            "  Serial Number: \(key.serialNumber.lowercased())", "  Subject: \(key.subject)",
            key.userPrincipalName.map { "  UPN:\($0)" },
            "  NotBefore: \(self.time.text(key.notBefore))", "  NotAfter: \(self.time.text(key.notAfter))",
            "  Template: \(key.templateName ?? "")", "  Version: 3", "  Cert Hash(sha1): \(thumbprint)", "",
        ].compactMap { $0 }
    }

    var batch: [String] {
        let names = self.keys.map { key in
            "\(ArchivedKeyListing.fileName(key.commonName ?? "key"))-\(key.serialNumber.lowercased())"
        }
        let retrieving = zip(self.keys, names).flatMap { key, name in
            [
                "CertUtil -config \(self.title) -getkey \(key.serialNumber.lowercased()) \"\(name).rec\"", "",
            ]
        }
        let recovering = names.flatMap { ["CertUtil -p \"*\" -recoverkey -user \"\($0).rec\" \"\($0).p12\"", ""] }
        return ["@goto start"] + self.listing + [":start", "", "@echo Version 3 certificates and keys:", ""]
            + retrieving
            + recovering + self.merging(names) + ["@goto exit"]
    }

    /// One file of several. A single one stays as it is.
    private func merging(_ names: [String]) -> [String] {
        let blobs = names.map { "@del \($0).rec" }
        guard names.count > 1, let key = self.keys.first else { return blobs + [""] }
        let files = names.map { "\($0).p12" }
        let merged = ArchivedKeyListing.fileName(key.commonName ?? "key") + ".p12"
        return [
            "CertUtil -p \"*\" -MergePFX -user \"\(files.joined(separator: ","))\" \"\(merged)\"", "",
        ] + zip(blobs, files).flatMap { [$0, "@del \($1)"] } + ["@echo PASSWORD: \"*\"", ""]
    }
}

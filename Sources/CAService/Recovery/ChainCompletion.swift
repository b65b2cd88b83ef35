import Diagnostics
package import KeyArchival
package import PKIMessages
import X509

/// Looks for the issuers that a recovered certificate's chain lacks, by the addresses in the certificates. Recovery never
/// depends on it: what cannot be fetched in time is a note.
package struct ChainCompletion: Sendable {
    /// Fetches what is at an address, in at most this long.
    package typealias Fetch = @Sendable (_ url: String, _ limit: Duration) async throws -> [UInt8]

    private static let maximumSteps = 4

    private let limit: Duration
    private let fetch: Fetch

    /// - Parameter limit: for all addresses of one certificate together; 15 s is what Windows waits.
    package init(limit: Duration = .seconds(15), fetch: @escaping Fetch = CertificateFetch.get) {
        self.limit = limit
        self.fetch = fetch
    }

    /// The certificates above the last one of the chain, and what went wrong on the way, a clause each.
    package func complete(
        _ key: RecoveredKey
    ) async -> (found: [CertificateFields], notes: [String]) {
        var found: [CertificateFields] = []
        var notes: [String] = []
        let deadline = ContinuousClock.now + self.limit
        var top = key.chain.last ?? key.certificate
        while !top.isSelfSigned, found.count < ChainCompletion.maximumSteps {
            let urls: [String]
            do { urls = try top.issuerURLs() } catch {
                notes.append(
                    "the address of the issuer of \(top.subject) cannot be read: \(ErrorReport(error).headline)")
                break
            }
            if urls.isEmpty { notes.append("the issuer of \(top.subject) is not known, and no address of it is given") }
            guard let issuer = await self.issuer(of: top, at: urls, until: deadline, notes: &notes) else { break }
            found.append(issuer)
            top = issuer
        }
        return (found, notes)
    }

    private func issuer(
        of certificate: CertificateFields, at urls: [String], until deadline: ContinuousClock.Instant,
        notes: inout [String]
    ) async -> CertificateFields? {
        for url in urls {
            let rest = deadline - ContinuousClock.now
            guard rest > .zero else {
                notes.append("no time was left for \(url)")
                continue
            }
            do {
                let candidates = try CertificateFetch.certificates(in: await self.fetch(url, rest))
                if let issuer = candidates.first(where: { CertificatePath.isIssuer($0, of: certificate) }) {
                    return issuer
                }
                notes.append("what is at \(url) is not the issuer of \(certificate.subject)")
            } catch {
                notes.append("\(url) was not reached: \(ErrorReport(error).headline)")
            }
        }
        return nil
    }
}

extension CertificateFields {
    /// `http` addresses of the issuer's certificate (RFC 5280, section 4.2.2.1).
    fileprivate func issuerURLs() throws -> [String] {
        try ExtensionDecoding(self.extensions).issuerCertificateURLs().filter { $0.hasPrefix("http://") }
    }
}

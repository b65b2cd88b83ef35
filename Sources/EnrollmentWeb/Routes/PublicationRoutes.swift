import CertificateAuthority
import Foundation
import HTTPTypes
import Hummingbird

/// What everybody may read: CA certificates and CRLs under the addresses that stand in issued certificates, and
/// whether the service is well.
struct PublicationRoutes: Sendable {
    let publications: any PublicationReading
    let surroundings: Surroundings

    /// A cache may keep a CRL for an hour at most, however long it is valid, so that a CRL issued early, after a
    /// compromise, is seen.
    static let longestCaching: TimeInterval = 3600

    func add(to router: Router<EnrollmentRequestContext>) {
        router.get("healthz") { _, _ in try await self.health() }
        router.get("ca/:name") { request, context in
            try await self.file(context.parameters.require("name"), request, context)
        }
    }

    /// Well is who can read the database and has a certificate to issue with.
    private func health() async throws -> Response {
        let records = try await self.publications.caCertificates()
        guard records.contains(where: { $0.use == .own }) else {
            return .plainText("no CA certificate\n", status: .serviceUnavailable)
        }
        return .plainText("ok\n", status: .ok)
    }

    private func file(
        _ component: String, _ request: Request, _ context: EnrollmentRequestContext
    ) async throws
        -> Response
    {
        guard let decoded = component.removingPercentEncoding, let name = PublishedFileName(decoded) else {
            throw EnrollmentWebError.notPublished
        }
        guard let part = name.part(ofCA: self.publications.caName) else { return try await self.foreignFile(name) }
        switch name.kind {
        case .certificate:
            let authority = CACertificateSet(try await self.publications.caCertificates())
            guard let record = authority.published(part) else { throw EnrollmentWebError.notPublished }
            return .material(
                record.certificateDER, mediaType: name.kind.mediaType,
                cacheControl: "public, max-age=3600")
        case .crl:
            let scope = CRLScope(caKeyIndex: part.index, shard: part.shard)
            guard let crl = try await self.publications.latestCRL(scope, part.isDelta ? .delta : .base) else {
                throw EnrollmentWebError.notPublished
            }
            return self.crl(crl, request)
        }
    }

    private func foreignFile(_ name: PublishedFileName) async throws -> Response {
        guard let bytes = try await self.publications.file(named: name) else { throw EnrollmentWebError.notPublished }
        return .material(bytes, mediaType: name.kind.mediaType, cacheControl: "public, max-age=3600")
    }

    private func crl(_ crl: CRLRecord, _ request: Request) -> Response {
        let tag = "\"\(crl.caKeyIndex)-\(crl.number)\(crl.kind == .delta ? "+" : "")\""
        let remaining = crl.nextUpdate.timeIntervalSince(self.surroundings.now())
        let seconds = Int(max(0, min(remaining, PublicationRoutes.longestCaching)))
        let isKnown = request.headers[values: .ifNoneMatch].contains { value in
            value.split(separator: ",").contains { $0.trimmingCharacters(in: .whitespaces) == tag }
        }
        var response =
            isKnown
            ? Response(status: .notModified)
            : Response.material(crl, from: self.publications)
        response.headers[.cacheControl] = "public, max-age=\(seconds), must-revalidate"
        response.headers[.eTag] = tag
        response.headers[.expires] = HTTPDate.text(self.surroundings.now().addingTimeInterval(TimeInterval(seconds)))
        response.headers[.lastModified] = HTTPDate.text(crl.thisUpdate)
        return response
    }
}

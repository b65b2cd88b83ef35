import CertificateAuthority
import Diagnostics
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    /// A page of `/certsrv`: never cached, never framed, its scripts never run.
    static func page(_ html: HTML, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: self.pageHeaders, body: ResponseBody(byteBuffer: ByteBuffer(string: html.source)))
    }

    private static let pageHeaders: HTTPFields = {
        var headers: HTTPFields = [
            .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
            .contentSecurityPolicy: PageLayout.contentSecurityPolicy, .xContentTypeOptions: "nosniff",
        ]
        if let name = HTTPField.Name("Referrer-Policy") { headers[name] = "same-origin" }
        return headers
    }()

    /// Certificates, chains and CRLs. The media type stands without parameters, because clients compare it whole.
    static func material(
        _ bytes: [UInt8], mediaType: String, cacheControl: String, fileName: String? = nil
    ) -> Response {
        var headers: HTTPFields = [
            .contentType: mediaType, .cacheControl: cacheControl, .xContentTypeOptions: "nosniff",
        ]
        if let fileName { headers[.contentDisposition] = "attachment; filename=\"\(fileName)\"" }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// A CRL, piece by piece.
    static func material(_ crl: CRLRecord, from publications: any PublicationReading) -> Response {
        let body = ResponseBody(contentLength: crl.byteCount) { writer in
            var offset = 0
            while offset < crl.byteCount {
                let piece = try await publications.piece(of: crl, at: offset)
                // A file that is shorter than its row says: the client sees a body that ends too early.
                guard !piece.isEmpty else { throw EnrollmentWebError.notPublished }
                try await writer.write(ByteBuffer(bytes: piece))
                offset += piece.count
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: PublishedFileName.Kind.crl.mediaType, .xContentTypeOptions: "nosniff",
            ], body: body)
    }

    static func plainText(_ text: String, status: HTTPResponse.Status) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: "text/plain; charset=utf-8", .cacheControl: "no-store",
                .xContentTypeOptions: "nosniff",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

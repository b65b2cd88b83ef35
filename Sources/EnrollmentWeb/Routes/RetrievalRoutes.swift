import CertificateAuthority
import Hummingbird
import PKIMessages

/// `certnew.cer`, `certnew.p7b` and `certcrl.crl`: what was issued, and the CA's own.
struct RetrievalRoutes: Sendable {
    let enrollment: any CertificateEnrolling
    let publications: any PublicationReading

    func add(to certsrv: RouterGroup<AuthenticatedContext>) {
        certsrv.get("certnew.cer") { request, context in
            try await self.certificate(FormParameters(query: request.uri.query), context)
        }
        certsrv.get("certnew.p7b") { request, context in
            try await self.chain(FormParameters(query: request.uri.query), context)
        }
        certsrv.get("certcrl.crl") { request, _ in
            try await self.crl(FormParameters(query: request.uri.query))
        }
    }

    private func certificate(_ query: FormParameters, _ context: AuthenticatedContext) async throws -> Response {
        let encoding = try TransferEncoding(query)
        switch try await self.find(FetchTarget(query), context) {
        case .certificate(let der):
            return RetrievalRoutes.encoded(
                der, encoding, label: "CERTIFICATE", mediaType: "application/pkix-cert", fileName: "certnew.cer")
        case .page(let page): return page
        }
    }

    private func chain(_ query: FormParameters, _ context: AuthenticatedContext) async throws -> Response {
        let encoding = try TransferEncoding(query)
        switch try await self.find(FetchTarget(query), context) {
        case .certificate(let der):
            let authority = CACertificateSet(try await self.publications.caCertificates())
            // Leaf first: there are clients that take the order for the path.
            let message = try SignedData.degenerate(certificates: authority.chain(from: der))
            return RetrievalRoutes.encoded(
                message, encoding, label: "PKCS7", mediaType: "application/x-pkcs7-certificates",
                fileName: "certnew.p7b")
        case .page(let page): return page
        }
    }

    private func crl(_ query: FormParameters) async throws -> Response {
        let encoding = try TransferEncoding(query)
        guard let kind = CRLKind(rawValue: (query["Type"] ?? "base").lowercased()) else {
            throw EnrollmentWebError.invalidParameter("Type", "it is neither base nor delta")
        }
        let authority = CACertificateSet(try await self.publications.caCertificates())
        let own = try authority.own(renewal: query.number("Renewal").map { Int($0) })
        guard let crl = try await self.publications.latestCRL(CRLScope(caKeyIndex: own.keyIndex), kind) else {
            throw EnrollmentWebError.notPublished
        }
        if crl.fileName != nil, encoding == .binary { return .material(crl, from: self.publications) }
        var bytes = try await self.publications.piece(of: crl, at: 0)
        while bytes.count < crl.byteCount {
            let piece = try await self.publications.piece(of: crl, at: bytes.count)
            guard !piece.isEmpty else { throw EnrollmentWebError.notPublished }
            bytes += piece
        }
        return RetrievalRoutes.encoded(
            bytes, encoding, label: "X509 CRL", mediaType: "application/pkix-crl", fileName: "certcrl.crl")
    }

    private enum Found {
        case certificate([UInt8])
        case page(Response)
    }

    private func find(_ target: FetchTarget, _ context: AuthenticatedContext) async throws -> Found {
        switch target {
        case .caCertificate(let renewal):
            let authority = CACertificateSet(try await self.publications.caCertificates())
            return .certificate(try authority.own(renewal: renewal).certificateDER)
        case .request(let requestID):
            context.notes.update { $0.requestID = requestID }
            let result = try await self.enrollment.result(
                ofRequest: requestID, for: context.principal, response: .certificateOnly)
            context.notes.record(result)
            if let der = result.certificateDER { return .certificate(der) }
            let page = ErrorPage(result, mode: .fetch, reference: context.reference)
            let layout = PageLayout(caName: self.publications.caName)
            return .page(.page(layout.page(heading: ErrorPage.heading, page.body())))
        }
    }

    private static func encoded(
        _ der: [UInt8], _ encoding: TransferEncoding, label: String, mediaType: String, fileName: String
    ) -> Response {
        let bytes =
            switch encoding {
            case .binary: der
            case .base64: Array(TextEncoding.pem(der, label: label).utf8)
            }
        return .material(bytes, mediaType: mediaType, cacheControl: "no-store", fileName: fileName)
    }
}

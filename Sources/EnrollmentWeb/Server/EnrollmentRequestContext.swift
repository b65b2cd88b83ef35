import CertificateAuthority
import Hummingbird
import Logging
import NIOCore
import NIOSSL

/// What belongs to one HTTP request beside the request itself.
struct EnrollmentRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// IP address of the peer, without port; `nil` where the connection does not tell.
    let remoteAddress: String?
    let notes = RequestNotes()
    private let channel: (any Channel)?
    /// Set by authentication, `nil` before.
    var principal: Principal?

    init(source: ApplicationRequestContextSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.remoteAddress = source.channel.remoteAddress?.ipAddress
        self.channel = source.channel
    }

    /// Without a connection: for tests of the routes.
    init(logger: Logger) {
        self.coreContext = CoreRequestContextStorage(source: LoggerSource(logger: logger))
        self.remoteAddress = nil
        self.channel = nil
    }

    /// DER of the certificate that the client has proved and TLS has verified; `nil` without TLS or certificate.
    func clientCertificate() async throws -> [UInt8]? {
        guard let channel = self.channel else { return nil }
        let certificate: NIOSSLCertificate?
        do { certificate = try await channel.nioSSL_peerCertificate().get() } catch is ChannelPipelineError {
            // No TLS on this listener.
            return nil
        }
        return try certificate?.toDERBytes()
    }

    private struct LoggerSource: RequestContextSource {
        let logger: Logger
    }

    /// The identifier that error pages and log lines have in common.
    var reference: String {
        self.logger[metadataKey: "hb.request.id"].map { "\($0)" } ?? "(none)"
    }
}

/// The context of pages that need a user: it cannot exist without one.
struct AuthenticatedContext: ChildRequestContext {
    var coreContext: CoreRequestContextStorage
    let principal: Principal
    let notes: RequestNotes
    let reference: String

    init(context: EnrollmentRequestContext) throws {
        guard let principal = context.principal else { throw EnrollmentWebError.authenticationRequired }
        self.coreContext = context.coreContext
        self.principal = principal
        self.notes = context.notes
        self.reference = context.reference
    }
}

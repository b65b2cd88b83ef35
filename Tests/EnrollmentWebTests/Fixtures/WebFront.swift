import CertificateAuthority
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization
import TestSupport

@testable import EnrollmentWeb

/// The routes with seams that are given, called without a network.
struct WebFront: Sendable {
    let pki: TestPKI
    let authority: RecordingAuthority
    let front: EnrollmentFront
    let log = RecordedLog()
    private let responder: RouterResponder<EnrollmentRequestContext>

    static let clock = FixedClock()
    static var now: Date { Date(timeIntervalSince1970: TimeInterval(clock.now)) }

    init(scope: EnrollmentFront.Scope = .everything, change: (inout GivenPublications) -> Void = { _ in }) async throws
    {
        self.pki = try await TestPKI.make()
        self.authority = RecordingAuthority(certificateDER: self.pki.leafDER)
        var publications = GivenPublications(
            caName: TestPKI.caName, certificates: self.pki.caCertificates,
            crls: [
                0: CRLRecord(
                    number: 7, caKeyIndex: 0, thisUpdate: WebFront.now.addingTimeInterval(-60),
                    nextUpdate: WebFront.now.addingTimeInterval(600), crlDER: self.pki.crlDER)
            ])
        change(&publications)
        self.front = EnrollmentFront(
            enrollment: self.authority, publications: publications, authenticator: GivenUsers(),
            surroundings: Surroundings(now: { WebFront.now }, randomBytes: { [UInt8](repeating: 7, count: $0) }))
        self.responder = self.front.responder(scope)
    }

    /// What a client gets.
    struct Answer {
        let status: Int
        let headers: HTTPFields
        let body: [UInt8]

        var text: String { String(decoding: self.body, as: UTF8.self) }
        var contentType: String? { self.headers[.contentType] }
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, headers: HTTPFields = [:], body: [UInt8] = [],
        user: String? = "alice", password: String = GivenUsers.password
    ) async throws -> Answer {
        var headers = headers
        if let user, headers[.authorization] == nil {
            headers[.authorization] = "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
        }
        let request = Request(
            head: HTTPRequest(
                method: method, scheme: "https", authority: "ca.example.test", path: path, headerFields: headers),
            body: RequestBody(buffer: ByteBuffer(bytes: body)))
        var logger = Logger(label: "test", factory: { [log] _ in log.handler })
        logger[metadataKey: "hb.request.id"] = "reference-1"
        let response = try await self.responder.respond(to: request, context: EnrollmentRequestContext(logger: logger))
        let writer = CollectedBody()
        try await response.body.write(writer)
        return Answer(status: response.status.code, headers: response.headers, body: writer.bytes)
    }

    func get(_ path: String, user: String? = "alice") async throws -> Answer {
        try await self.send(.get, path, user: user)
    }

    func post(
        _ fields: [(String, String)], headers: HTTPFields = [.contentType: "application/x-www-form-urlencoded"],
        user: String? = "alice"
    ) async throws -> Answer {
        try await self.send(
            .post, "/certsrv/certfnsh.asp", headers: headers, body: Array(WebFront.form(fields).utf8), user: user)
    }

    /// Hands a request in as the PyPI client does.
    func enroll(_ template: String) async throws -> Answer {
        try await self.post([
            ("Mode", "newreq"), ("CertRequest", self.pki.requestPEM),
            ("CertAttrib", "CertificateTemplate:\(template)\r\n"),
            ("FriendlyType", "Saved-Request Certificate"), ("TargetStoreFlags", "0"), ("SaveCert", "yes"),
        ])
    }

    /// As browsers and Python's `requests` encode.
    static func form(_ fields: [(String, String)]) -> String {
        let plain = CharacterSet(charactersIn: "-._*").union(.alphanumerics)
        let encode = { (text: String) in
            (text.addingPercentEncoding(
                withAllowedCharacters: plain.intersection(.init(charactersIn: "\u{0}"..."\u{7F}"))) ?? "")
                .replacing("%20", with: "+")
        }
        return fields.map { "\(encode($0.0))=\(encode($0.1))" }.joined(separator: "&")
    }
}

/// Collects a response's body.
final class CollectedBody: ResponseBodyWriter, Sendable {
    private let content = Mutex<[UInt8]>([])

    var bytes: [UInt8] { self.content.withLock { $0 } }

    func write(_ buffer: ByteBuffer) async throws {
        self.content.withLock { $0 += Array(buffer.readableBytesView) }
    }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

/// Remembers the lines of a log.
final class RecordedLog: Sendable {
    private let content = Mutex<[String]>([])

    var lines: [String] { self.content.withLock { $0 } }

    var handler: any LogHandler { Handler(log: self) }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = self.metadata.merging(event.metadata ?? [:]) { $1 }
            let text = all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            self.log.content.withLock { $0.append("\(event.level) \(event.message) \(text)") }
        }
    }
}

/// What became of a request, with the numbers of the Certificate Services database (MS-CSRA 3.1.1.1.1,
/// `Request_Disposition`).
package enum Disposition: Int, Sendable, Codable {
    /// Being processed; never the last word: a crash leaves it and start-up settles it.
    case active = 8
    /// Waits for a certificate manager.
    case pending = 9
    /// The certificate is another CA's: only its key is archived here.
    case foreign = 12
    /// A certificate of this CA's own: CA certificate.
    case caCertificate = 15
    case issued = 20
    case revoked = 21
    /// Failed by a fault, not by a verdict.
    case error = 30
    case denied = 31

    /// True when nothing more happens by itself: everything but ``active``.
    package var isFinal: Bool { self != .active }
}

extension Disposition: CustomStringConvertible {
    /// Its name, without asking the runtime for it: it stands in a log line of every request.
    package var description: String {
        switch self {
        case .active: "active"
        case .pending: "pending"
        case .foreign: "foreign"
        case .caCertificate: "caCertificate"
        case .issued: "issued"
        case .revoked: "revoked"
        case .error: "error"
        case .denied: "denied"
        }
    }
}

/// What a client sent (MS-WCCE 3.2.1.4.2.1.1, `RequestType`).
package enum RequestType: Int, Sendable, Codable {
    case pkcs10 = 1
    /// A PKCS#7 renewal request around a PKCS#10.
    case renewal = 3
    case cmc = 4
    /// Made by the CA for itself: exchange certificates.
    case internalRequest = 100
}

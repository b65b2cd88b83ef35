/// The parameter `Enc`: how a certificate, chain or CRL is sent.
enum TransferEncoding: String, Sendable {
    case base64 = "b64"
    case binary = "bin"

    /// Base64 when the parameter is absent.
    init(_ parameters: FormParameters) throws(EnrollmentWebError) {
        guard let text = parameters["Enc"] else {
            self = .base64
            return
        }
        guard let encoding = TransferEncoding(rawValue: text.lowercased()) else {
            throw .invalidParameter("Enc", "it is neither b64 nor bin")
        }
        self = encoding
    }
}

import CertificateAuthority
import Diagnostics
import Foundation

/// What a page of `/certsrv` says became of a request: those of `signetd`, and those of Windows, which they are made after.
struct CertsrvPage {
    let requestID: Int64?
    let disposition: Disposition
    let message: String
    let statusCode: HRESULT
    /// DER.
    let fullResponse: [UInt8]?

    /// - Throws: ``ServiceError`` with code `unknownAnswer` for a page that is none of them.
    init(_ html: String) throws {
        let message =
            CertsrvPage.first(/The disposition message is "([^"]*)"/, in: html)
            ?? CertsrvPage.row("locDispMsgLabel", in: html)
        let code =
            (message.flatMap(CertsrvPage.code) ?? CertsrvPage.row("locResultLabel", in: html).flatMap(CertsrvPage.code))
        self.fullResponse = CertsrvPage.first(/sPKCS7="([A-Za-z0-9+\/=\r\n]*)"/, in: html)
            .flatMap { Data(base64Encoded: $0, options: .ignoreUnknownCharacters) }.map { Array($0) }
        let number =
            CertsrvPage.first(/Your Request Id is (\d+)/, in: html)
            ?? CertsrvPage.first(/certnew\.cer\?ReqID=(\d+)/, in: html)
            ?? CertsrvPage.row("locRequestIDLabel", in: html)
        self.requestID = number.flatMap { Int64($0) }
        if html.contains("certnew.cer?ReqID=") {
            (self.disposition, self.message, self.statusCode) = (.issued, "Issued", .ok)
        } else if html.contains("Certificate Request Denied") {
            (self.disposition, self.message) = (.denied, message ?? "Denied")
            self.statusCode = code ?? .fail
        } else if html.contains("Certificate Pending") {
            (self.disposition, self.message, self.statusCode) = (.pending, "Taken Under Submission", .ok)
        } else if html.contains("The disposition message is") || html.contains("locDispMsgLabel") {
            (self.disposition, self.message) = (.error, message ?? "Error")
            self.statusCode = code ?? .fail
        } else {
            throw ServiceError.unknownAnswer("it is not a page of an enrolment service")
        }
    }

    private static func first(_ pattern: Regex<(Substring, Substring)>, in html: String) -> String? {
        // `try?`: a pattern without transformations has nothing to throw.
        (try? pattern.firstMatch(in: html)).flatMap { $0 }.map { self.unescaped(String($0.output.1)) }
    }

    /// The value of a row: after its label a line end, two tabs and the value.
    private static func row(_ label: String, in html: String) -> String? {
        guard let start = html.range(of: "ID=\(label)>")?.upperBound,
            let cell = html.range(of: "<DD>", range: start..<html.endIndex)?.upperBound
        else { return nil }
        let end = html.range(of: "</DD>", range: cell..<html.endIndex)?.lowerBound ?? html.endIndex
        return self.unescaped(html[cell..<end].trimmingCharacters(in: .whitespacesAndNewlines))
    }

    private static func code(_ text: String) -> HRESULT? {
        // `try?`: as above.
        (try? /0x([0-9a-fA-F]{8})/.firstMatch(in: text)).flatMap { $0 }
            .flatMap { UInt32($0.output.1, radix: 16) }.map { HRESULT(rawValue: $0) }
    }

    private static func unescaped(_ text: String) -> String {
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&amp;", "&")]
            .reduce(text) { $0.replacing($1.0, with: $1.1) }
    }
}

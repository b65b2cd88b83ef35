import Diagnostics

/// Something failed, or a certificate cannot be fetched.
///
/// Clients look for a row's label, a line end, two tabs and the value up to the next line end. The page says the
/// code with its text, the number of the request and the reference of the log line; never facts about a token, a
/// file or a database.
struct ErrorPage {
    static let heading = "An Error Occurred"

    /// What was asked, such as `newreq - New Request`.
    let mode: String
    var requestID: Int64?
    var disposition = "(never set)"
    /// The disposition message; the text of the code where there is none.
    var message: String?
    let code: HRESULT
    /// The identifier of the HTTP request, which stands in the log.
    let reference: String

    func body() -> HTML {
        """
        <p>Your request failed. An error occurred while the server was processing your request.</p>
        <p>Contact your administrator for further assistance.</p>
        <p>The disposition message is "\(self.message ?? self.code.windowsText)"</p>
        <dl>
        \(self.row("locModeLabel", "Request Mode", self.mode))
        \(self.row("locRequestIDLabel", "Request Id", self.requestID.map { String($0) } ?? "(none)"))
        \(self.row("locDispositionLabel", "Disposition", self.disposition))
        \(self.row("locDispMsgLabel", "Disposition message", self.message ?? self.code.windowsText))
        \(self.row("locResultLabel", "Result", self.code.windowsText))
        \(self.row("locCOMErrorInfoLabel", "COM Error Info", self.errorInfo))
        \(self.row("locLastStatusLabel", "LastStatus", self.code.windowsText))
        \(self.row("locSugCauseLabel", "Suggested Cause", SuggestedCause.text(for: self.code)))
        \(self.row("locReferenceLabel", "Reference", self.reference))
        </dl>
        """
    }

    /// Where Windows names the method of its own client object; for a fetch there is none.
    private var errorInfo: String {
        (self.mode == RequestMode.newRequest.text ? "CCertRequest::Submit " : "") + self.code.windowsText
    }

    private func row(_ identifier: String, _ label: String, _ value: String) -> HTML {
        "<DT ID=\(identifier)>\(label):</DT>\n<DD>\n\t\t\(value)\n</DD>"
    }
}

/// The row `Request Mode` of an error page.
enum RequestMode: Equatable {
    case newRequest
    case checkPending
    /// `certnew.cer`, `certnew.p7b`, `certcrl.crl`.
    case fetch
    case page

    init(path: String) {
        let name = path.split(separator: "/").last?.lowercased() ?? ""
        switch name {
        case "certnew.cer", "certnew.p7b", "certcrl.crl": self = .fetch
        case "certfnsh.asp": self = .newRequest
        default: self = .page
        }
    }

    var text: String {
        switch self {
        case .newRequest: "newreq - New Request"
        case .checkPending: "chkpnd - Check Pending"
        case .fetch: "(certnew.cer/certnew.p7b/certcrl.crl certificate/crl fetch)"
        case .page: "(page)"
        }
    }
}

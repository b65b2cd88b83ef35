/// The parameters `ReqID` and `Renewal` of `certnew.cer` and `certnew.p7b`: whose certificate is wanted.
enum FetchTarget: Equatable, Sendable {
    case request(Int64)
    /// The CA certificate after that many renewals; `nil` for the newest.
    case caCertificate(renewal: Int?)

    init(_ parameters: FormParameters) throws(EnrollmentWebError) {
        if try parameters.require("ReqID").lowercased() == "cacert" {
            self = .caCertificate(renewal: try parameters.number("Renewal").map(Int.init))
        } else {
            self = .request(try FetchTarget.requestID(in: parameters))
        }
    }

    /// `ReqID` as the number of a request, which is 1 or more.
    static func requestID(in parameters: FormParameters) throws(EnrollmentWebError) -> Int64 {
        _ = try parameters.require("ReqID")
        guard let number = try parameters.number("ReqID"), number > 0 else {
            throw .invalidParameter("ReqID", "it is not the number of a request")
        }
        return number
    }
}

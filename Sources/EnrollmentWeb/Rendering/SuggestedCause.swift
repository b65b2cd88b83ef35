import Diagnostics

/// What a remote requester can do about a code. The advice of the errors themselves is for the operator: it may
/// name tokens and files of the CA's machine, which do not leave it.
enum SuggestedCause {
    static func text(for code: HRESULT) -> String {
        switch code {
        case .ok:
            "The request waits for the certification authority's administrator."
        case .invalidData, .asn1Corrupt, .asn1ExtraData, .decodeFailed, .invalidMessageType:
            "The request is damaged. Send it whole, in PEM or base64, percent-encoded: a plus sign as %2B."
        case .badSignature, .hashValue:
            "The request was changed after it was signed, or signed with another key. Make a new request."
        case .invalidParameter:
            "A parameter is missing or has a value that is not allowed."
        case .propertyEmpty:
            "There is no request with this number. Check the Request Id."
        case .accessDenied, .enrollDenied, .templateDenied:
            "The user has no right to do this. Ask the certification authority's administrator for it."
        case .noCertType, .unsupportedCertType, .templateConflict:
            "Name one template of this certification authority in CertAttrib, as CertificateTemplate:NAME."
        case .archivedKeyRequired, .badRequestKeyArchival:
            "The template archives the private key. Make the request with a client that sends it encrypted."
        case .keyLength:
            "Make a new request with a longer key."
        case .fileNotFound:
            "Check the address of the page."
        case .logonFailure:
            "Check user name and password."
        case .keyArchivalNotConfigured, .noValidKRA:
            "No suggestions. The certification authority's administrator has to see to the key recovery agents."
        default:
            "Give the reference to the certification authority's administrator."
        }
    }
}

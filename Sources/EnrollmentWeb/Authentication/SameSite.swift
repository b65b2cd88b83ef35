import HTTPTypes
import Hummingbird

/// Refuses forms that a page of another site made a browser send. A browser adds remembered Basic credentials to
/// such a form by itself, so authentication does not stop it.
///
/// Browsers say with `Sec-Fetch-Site`, `Origin` or `Referer` where a form comes from; other clients send none of
/// them and are not in danger. So each of them may be absent, and one that is there must name this host.
enum SameSite {
    /// Made once: a name is checked letter by letter.
    private static let fetchSite = HTTPField.Name("Sec-Fetch-Site")

    static func check(_ request: Request) throws(EnrollmentWebError) {
        if let name = self.fetchSite, let site = request.headers[name],
            site != "same-origin", site != "none"
        {
            throw .crossSiteRequest
        }
        guard let source = request.headers[.origin] ?? request.headers[.referer] else { return }
        guard let host = request.head.authority, let authority = SameSite.authority(of: source),
            authority.lowercased() == host.lowercased()
        else { throw .crossSiteRequest }
    }

    /// Host and port of an absolute URL (RFC 3986, section 3.2); `nil` for `null` and for anything with user
    /// information, which no browser sends here.
    private static func authority(of url: String) -> Substring? {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0].hasSuffix(":"), parts[1].isEmpty, !parts[2].isEmpty,
            !parts[2].contains(where: { $0 == "@" || $0 == "?" || $0 == "#" })
        else { return nil }
        return parts[2]
    }
}

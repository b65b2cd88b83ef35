/// What all pages of `/certsrv` share.
struct PageLayout: Sendable {
    let caName: String

    /// Scripts in the pages are never run: the policy of every page forbids them. They stand there because
    /// enrolment clients look for them, and everything a person needs is a link or a form.
    static let contentSecurityPolicy =
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

    /// The title is the one by which tools recognise the enrolment pages of a certification authority.
    func page(heading: String, _ body: HTML) -> HTML {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>Microsoft Active Directory Certificate Services -- \(self.caName)</title>
        <style>
        body { font-family: sans-serif; line-height: 1.4; margin: 2em auto; max-width: 50em; padding: 0 1em }
        header { border-bottom: 1px solid; display: flex; justify-content: space-between; padding-bottom: .4em }
        dt { font-weight: bold; margin-top: .6em } textarea { width: 100% }
        </style>
        </head>
        <body>
        <header><b>\(self.caName)</b> <a href="/certsrv/">Home</a></header>
        <h1>\(heading)</h1>
        \(body)
        </body>
        </html>

        """
    }
}

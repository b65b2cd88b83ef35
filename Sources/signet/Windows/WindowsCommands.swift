import ArgumentParser

/// `signet certutil`, also under the name `certutil`
struct CertutilCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certutil", abstract: "The verbs, lines and codes of Windows' certutil.",
        discussion: """
            Called as `certutil` through a symbolic link, the program is this command. `certutil -?` lists the verbs.
            """,
        examples: """
            signet certutil -dump user.req
            signet certutil -getkey user1@example.com user1.rec
            signet certutil -revoke 611e23c200030000000e 1
            """)

    @Argument(parsing: .captureForPassthrough, help: "A verb, such as -dump, its options and words.")
    var arguments: [String] = []

    func run() async throws {
        throw ExitCode(await WindowsTool.certutil.run(self.arguments))
    }
}

/// `signet certreq`, also under the name `certreq`
struct CertreqCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certreq", abstract: "The verbs, lines and codes of Windows' certreq.",
        discussion: """
            Called as `certreq` through a symbolic link, the program is this command. `certreq -?` lists the verbs.
            """,
        examples: """
            signet certreq -new request.inf user.req
            signet certreq -submit user.req user.cer
            signet certreq -accept user.cer
            """)

    @Argument(parsing: .captureForPassthrough, help: "A verb, such as -submit, its options and words.")
    var arguments: [String] = []

    func run() async throws {
        throw ExitCode(await WindowsTool.certreq.run(self.arguments))
    }
}

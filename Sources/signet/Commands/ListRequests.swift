import ArgumentParser
import CAService
import CertificateAuthority
import Foundation

/// `signet request list`
struct ListRequests: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List requests, newest first.",
        discussion: """
            Times are ISO 8601 (2026-01-31 or 2026-01-31T12:00:00Z). Columns are those of the request database, such as
            RequestID,RequesterName,NotAfter,RawArchivedKey; --columns all prints every one.
            """,
        examples: #"""
            signet request list --disposition pending
            signet request list --template User --expires-within 30 \
                --columns RequestID,RequesterName,NotAfter --format csv
            """#)

    @OptionGroup var options: InstanceOptions
    @OptionGroup var filter: RequestFilter

    @Option(name: .long, help: "Order: number, submitted, or expires (issued ones only).")
    var sort: RequestQuery.Order?

    @Flag(name: .long, help: "Lowest or oldest first.")
    var ascending = false

    @Option(name: .long, help: "At most that many.")
    var limit = 100

    @Option(name: .long, help: "Go on where a list ended: the word that was printed then.")
    var page: RequestQuery.Position?

    @Option(name: .long, help: "Columns, separated by commas, or all.")
    var columns: String?

    @Option(name: .long, help: "table, csv or json.")
    var format = RowFormat.table

    @Flag(name: .long, help: "Print only the numbers, one a line.")
    var numbers = false

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        var query = try self.filter.query(now: Date())
        query.order = self.sort ?? (query.expires == nil ? .number : .expires)
        query.isDescending = !self.ascending
        query.after = self.page
        query.limit = self.limit
        let output = RowOutput(columns: try self.chosenColumns(), format: self.numbers ? .numbers : self.format)
        let next = try await instance.requests(matching: query, by: instance.localOperator()) { output.add($0) }
        output.finish()
        if let next { Console.complain("More follow: --page \(next)") }
    }

    private func chosenColumns() throws -> [RequestColumn] {
        let names: [String] =
            switch self.columns {
            case "all": RequestColumn.all.map(\.name)
            case let text?: text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            case nil:
                [
                    "RequestID", "Disposition", "SubmittedWhen", "RequesterName", "CertificateTemplate",
                    "DistinguishedName", "DispositionMessage",
                ]
            }
        return try names.map { name in
            guard let column = RequestColumn.named(name) else {
                throw ValidationError(
                    "There is no column \(name); there are \(RequestColumn.all.map(\.name).joined(separator: ", ")).")
            }
            return column
        }
    }
}

/// Which requests a command is about.
struct RequestFilter: ParsableArguments {
    @Option(name: .long, help: "active, pending, issued, revoked, error or denied.")
    var disposition: String?

    @Option(name: .long, help: "The certificate template's name.")
    var template: String?

    @Option(name: .long, help: "Whom the certificate is for.")
    var requester: String?

    @Option(name: .long, help: "The whole subject asked for (RFC 4514).")
    var subject: String?

    @Option(name: .long, help: "A part of the subject asked for. Reads through the rows that the other filters leave.")
    var subjectContains: String?

    @Option(name: .long, help: "The certificate's serial number, hexadecimal.")
    var serial: String?

    @Option(name: .long, help: "Numbers from this one on.")
    var from: Int64?

    @Option(name: .long, help: "Numbers up to this one.")
    var to: Int64?

    @Option(name: .long, help: "Submitted at that time or later.")
    var submittedAfter: String?

    @Option(name: .long, help: "Submitted at that time or earlier.")
    var submittedBefore: String?

    @Option(name: .long, help: "Whose certificate expires within that many days from now.")
    var expiresWithin: Int?

    func query(now: Date) throws -> RequestQuery {
        var query = RequestQuery()
        query.disposition = try self.disposition.map(RequestFilter.disposition)
        query.templateName = self.template
        query.requesterName = self.requester
        query.subject = self.subject
        query.subjectPart = self.subjectContains
        query.serialNumber = self.serial.map { $0.uppercased().filter(\.isHexDigit) }
        if self.from != nil || self.to != nil {
            query.numbers = try RequestFilter.range(self.from ?? 0, self.to ?? .max, "--from")
        }
        if self.submittedAfter != nil || self.submittedBefore != nil {
            query.submitted = try RequestFilter.range(
                self.submittedAfter.map(RequestFilter.date) ?? .distantPast,
                self.submittedBefore.map(RequestFilter.date) ?? .distantFuture, "--submitted-after")
        }
        if let days = self.expiresWithin {
            guard days >= 0 else { throw ValidationError("--expires-within takes a number of days.") }
            query.expires = now...now.addingTimeInterval(Double(days) * 86_400)
        }
        return query
    }

    private static func range<B: Comparable>(_ low: B, _ high: B, _ option: String) throws -> ClosedRange<B> {
        guard low <= high else { throw ValidationError("\(option) is after the end of the range.") }
        return low...high
    }

    static func date(_ text: String) throws -> Date {
        let day = Date.ISO8601FormatStyle().year().month().day()
        // `try?`: one of the two forms fits, or neither, which is said below.
        guard let date = (try? Date(text, strategy: .iso8601)) ?? (try? Date(text, strategy: day)) else {
            throw ValidationError("\"\(text)\" is no time: write 2026-01-31 or 2026-01-31T12:00:00Z.")
        }
        return date
    }

    private static func disposition(_ text: String) throws -> Disposition {
        switch text {
        case "active": .active
        case "pending": .pending
        case "issued": .issued
        case "revoked": .revoked
        case "error": .error
        case "denied": .denied
        default: throw ValidationError("--disposition is one of active, pending, issued, revoked, error, denied.")
        }
    }
}

extension RequestQuery.Order: ExpressibleByArgument {}
extension RequestQuery.Position: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

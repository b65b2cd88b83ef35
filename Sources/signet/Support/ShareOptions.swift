import ArgumentParser
import CAService

/// How agents who have to act together pass their shares on.
struct ShareOptions: ParsableArguments {
    @Option(name: .long, help: "A file that another agent has made with --share-out. May be repeated.")
    var share: [String] = []

    @Option(name: .long, help: "Write the share that the card opens into this file, for the agent of --share-for.")
    var shareOut: String?

    @Option(name: .long, help: "Serial number or thumbprint of the certificate of the agent who will finish.")
    var shareFor: String?

    func validate(blobs: Int) throws {
        guard (self.shareOut == nil) == (self.shareFor == nil) else {
            throw ValidationError("Name --share-out and --share-for together.")
        }
        guard self.shareOut == nil || self.share.isEmpty else {
            throw ValidationError("Name either --share or --share-out.")
        }
        guard blobs == 1 || (self.shareOut == nil && self.share.isEmpty) else {
            throw ValidationError("Shares belong to one blob; name one at a time.")
        }
    }

    func shared() throws -> SharedRecovery {
        SharedRecovery(messages: try self.share.map { ($0, try FilePaths.read($0, limit: 1 << 16)) })
    }
}

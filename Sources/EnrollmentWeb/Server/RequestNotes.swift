import Diagnostics
import Synchronization

/// What the parts that answer a request learn about it, for its line in the log. Never a secret.
final class RequestNotes: Sendable {
    struct Content: Sendable {
        /// What was asked, where the path alone does not tell.
        var mode: RequestMode?
        /// The authenticated user.
        var user: String?
        /// The certification authority's number of the request.
        var requestID: Int64?
        var disposition: String?
        var code: HRESULT?
        /// The report of a failure, for the operator.
        var failure: [String] = []
    }

    private let content = Mutex(Content())

    var current: Content { self.content.withLock { $0 } }

    func update(_ change: (inout sending Content) -> Void) {
        self.content.withLock { change(&$0) }
    }
}

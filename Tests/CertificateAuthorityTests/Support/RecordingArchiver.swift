import CertificateAuthority
import Diagnostics
import PKIMessages
import Synchronization

/// Notes what it is asked to archive, and answers with a fixed record or error.
final class RecordingArchiver: KeyArchiver {
    static let hash = "0f 1e 2d"
    private let state = Mutex([KeyArchivalRequest]())
    private let error: PKIMessageError?
    private let unready: Mutex<PKIMessageError?>

    /// - Parameter unready: why no key can be archived at all.
    init(failingWith error: PKIMessageError? = nil, unready: PKIMessageError? = nil) {
        self.error = error
        self.unready = Mutex(unready)
    }

    func checkReadiness() async throws {
        if let unready = self.unready.withLock({ $0 }) { throw unready }
    }

    /// From now on no key can be archived, or one can again.
    func setUnready(_ error: PKIMessageError?) { self.unready.withLock { $0 = error } }

    var requests: [KeyArchivalRequest] { self.state.withLock { $0 } }

    func archive(_ request: KeyArchivalRequest) async throws -> ArchivedKeyDraft {
        self.state.withLock { $0.append(request) }
        if let error { throw error }
        return ArchivedKeyDraft(
            format: .cmsAES, envelopedDataDER: [0x30, 0x00], kraHashes: [RecordingArchiver.hash],
            evidenceJSON: "{}")
    }
}

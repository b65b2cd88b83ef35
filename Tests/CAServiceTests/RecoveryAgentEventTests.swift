import Diagnostics
import Testing

@testable import CAService
@testable import KeyArchival

/// The sentences are those of "Troubleshooting" in the white paper "Key Archival and Management in Windows Server 2003".
@Suite("Events of key recovery agents")
struct RecoveryAgentEventTests {
    private static func status(
        _ index: Int, _ state: KRAState = .valid, _ code: HRESULT = .ok
    ) -> KRAStatus {
        KRAStatus(
            index: index, sha1Thumbprint: [UInt8(index)], certificate: nil,
            failure: state == .valid ? nil : .init(state: state, reason: "it is so", hresult: code))
    }

    private static func events(_ statuses: [KRAStatus], count: Int = 1) -> [String] {
        RecoveryAgentEvents.events(for: statuses, count: count).map { "\($0.number) \($0.text)" }
    }

    @Test("Nothing is said of valid agents, nor when none was ever configured")
    func silence() {
        #expect(Self.events([Self.status(0)]).isEmpty)
        #expect(Self.events([]).isEmpty)
    }

    @Test("An agent whose revocation list is out of date gives event 84, and 98 for all")
    func notVerified() {
        #expect(
            Self.events([Self.status(0), Self.status(1, .invalid, .revocationOffline)]) == [
                "84 Certificate Services will not use key recovery certificate 1 because it could not be verified for "
                    + "use as a Key Recovery Agent.  The revocation function was unable to check revocation because "
                    + "the revocation server was offline. 0x80092013 (-2146885613)",
                "98 Certificate Services encountered errors validating configured key recovery certificates. Requests "
                    + "to archive private keys will no longer be accepted.",
            ])
    }

    @Test("A certificate that is not in the database gives event 85, 83 for all, and 82 when no agent is left")
    func notLoaded() {
        #expect(
            Self.events([Self.status(0, .notFound, .notFound)]) == [
                "85 Certificate Services ignored key recovery certificate 0 because it could not be loaded. Cannot find "
                    + "object or property. 0x80092004 (-2146885628)",
                "83 Certificate Services encountered an error loading key recovery certificates. Requests to archive "
                    + "private keys will not be accepted. Cannot find object or property. 0x80092004 (-2146885628)",
                "82 Certificate Services could not load any valid key recovery certificates. Requests to archive "
                    + "private keys will not be accepted.",
            ])
    }

    @Test("Revoked and expired agents give 84, 98 and 82; a damaged one among valid ones 85 and 83")
    func others() {
        let all = [Self.status(0, .revoked, .revoked), Self.status(1, .expired, .certificateExpired)]
        #expect(RecoveryAgentEvents.events(for: all, count: 1).map(\.number) == [84, 84, 98, 82])
        let one = [Self.status(0), Self.status(1, .notLoaded, .invalidData)]
        #expect(RecoveryAgentEvents.events(for: one, count: 1).map(\.number) == [85, 83])
    }

    @Test("Fewer agents than each key needs give event 83 with 0x80070057")
    func tooFew() {
        #expect(
            Self.events([Self.status(0)], count: 2) == [
                "83 Certificate Services encountered an error loading key recovery certificates. Requests to archive "
                    + "private keys will not be accepted. The parameter is incorrect. 0x80070057 (WIN32: 87)"
            ])
    }
}

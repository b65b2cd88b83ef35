import Diagnostics

extension ArchivalError {
    private static let opening = "open the recovery blob"

    static func tooFewForThreshold(_ needed: Int, distinctKeys: Int) -> ArchivalError {
        ArchivalError(
            code: .noValidAgent, operation: "archive the private key",
            reason:
                "it would not be in the hands of as many agents, each with a key of their own, as must act together",
            hresult: .noValidKRA,
            facts: [Fact("must act together", "\(needed)"), Fact("distinct keys of agents", "\(distinctKeys)")],
            advice: ["Add key recovery agents with `signet kra add`, or lower archival.threshold.required."])
    }

    static func sharesNeeded(_ needed: Int, of count: Int, present: Int) -> ArchivalError {
        ArchivalError(
            code: .sharesNeeded, operation: self.opening,
            reason: "\(needed) of \(count) agents have to open it together, and \(present) did", hresult: .noKey,
            facts: [Fact("needed", "\(needed)"), Fact("present", "\(present)")],
            advice: ["Insert further agents' cards, or add their shares with `signet recover --share`."])
    }

    static func foreignShare(_ holder: String) -> ArchivalError {
        ArchivalError(
            code: .foreignShare, operation: self.opening, reason: "the share of \(holder) belongs to another key",
            hresult: .badData, facts: [Fact("share", holder)],
            advice: ["Have the agent make the share again, from this recovery blob."])
    }

    static func badShare(_ holder: String) -> ArchivalError {
        ArchivalError(
            code: .badShare, operation: self.opening, reason: "the share of \(holder) is not the one that was archived",
            hresult: .badData, facts: [Fact("share", holder)],
            advice: ["Use another agent's share in its place, and find out who has changed this one."])
    }

    static func duplicateShare(_ index: Int) -> ArchivalError {
        ArchivalError(
            code: .duplicateShare, operation: self.opening, reason: "share \(index) is there twice",
            hresult: .invalidParameter, facts: [Fact("share", "\(index)")],
            advice: ["Name each agent's share once; a card that is present gives its own."])
    }

    static func notAnAgent(_ name: String) -> ArchivalError {
        ArchivalError(
            code: .notAnAgent, operation: "pass a share on", reason: "\"\(name)\" names no agent of this recovery blob",
            hresult: .notFound, advice: ["Name one of the agents that are shown, by serial number or thumbprint."])
    }

    static func shareForAnother(_ name: String) -> ArchivalError {
        ArchivalError(
            code: .shareForAnother, operation: self.opening, reason: "the share in \(name) is for another agent's card",
            hresult: .noKey, facts: [Fact("share", name)],
            advice: ["Insert the card of the agent for whom it was made first, or have it made again for this one."])
    }

    static func noSeal() -> ArchivalError {
        ArchivalError(
            code: .noSeal, operation: "take a share", reason: "one agent alone opens this recovery blob",
            hresult: .invalidParameter, advice: ["Recover it without shares."])
    }
}

internal import DeviceProfiles

/// What outlives a process or is common to all that use the simulator: what is on each card, as of the last look at
/// all of its objects (private objects cannot be seen without login, but they take room all the same), whether it is
/// in its reader, its PIN counters, and the faults that were ordered over the control socket.
///
/// Kept in a file that processes share, or in memory when no file is configured. A text: one line a card, followed
/// by lines about it.
struct Ledger: Hashable, Sendable {
    private(set) var cards: [String: CardRecord] = [:]
    /// Faults by the number of their order, each as a line of YAML.
    var orders: [Int: String] = [:]

    static let header = "signet-simulator-ledger 1"

    subscript(card: String) -> CardRecord {
        get { self.cards[card] ?? CardRecord() }
        set { self.cards[card] = newValue }
    }

    /// What was on a card before it was initialized is gone.
    mutating func forgetContent(of card: String) {
        self.cards[card]?.census = Census()
        self.cards[card]?.logEntries = 0
        self.cards[card]?.user = CardRecord.PINCounter()
        self.cards[card]?.securityOfficer = CardRecord.PINCounter()
    }

    init() {}

    /// - Returns: `nil` when the text is not a ledger.
    init?(text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        guard lines.popFirst() == Ledger.header[...], lines.popLast() == "" else { return nil }
        var card: String?
        for line in lines {
            if line.hasPrefix("card ") {
                let name = String(line.dropFirst(5))
                self.cards[name] = CardRecord()
                card = name
            } else if line.hasPrefix("order ") {
                let parts = line.split(separator: " ", maxSplits: 2)
                guard parts.count == 3, let number = Int(parts[1]), number > 0 else { return nil }
                self.orders[number] = String(parts[2])
            } else {
                guard let card, self.cards[card]?.read(line) == true else { return nil }
            }
        }
    }

    var text: String {
        var lines = [Ledger.header]
        lines += self.orders.sorted { $0.key < $1.key }.map { "order \($0) \($1)" }
        for (card, record) in self.cards.sorted(by: { $0.key < $1.key }) {
            lines.append("card \(card)")
            lines += record.lines
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

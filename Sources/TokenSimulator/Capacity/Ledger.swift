internal import DeviceProfiles
internal import Glibc

/// What is on each card, as of the last look at all of its objects: private objects cannot be seen without login,
/// but they take room all the same.
///
/// Kept in a file that processes share, or in memory when no file is configured. A text: one line a card, followed
/// by one line for each kind of object on it.
struct Ledger: Hashable, Sendable {
    private(set) var cards: [String: Census] = [:]

    static let header = "signet-simulator-ledger 1"

    subscript(card: String) -> Census {
        get { self.cards[card] ?? Census() }
        set { self.cards[card] = newValue }
    }

    mutating func forget(_ card: String) {
        self.cards[card] = nil
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
                self.cards[name] = Census()
                card = name
            } else {
                guard let card, let (descriptor, count) = Ledger.object(line) else { return nil }
                self.cards[card, default: Census()].add(descriptor, count: count)
            }
        }
    }

    /// One line for each kind of object: `COUNT KIND ALGORITHM BYTES VISIBILITY`, `-` for no algorithm.
    private static func object(_ line: Substring) -> (ObjectDescriptor, Int)? {
        let words = line.split(separator: " ")
        guard words.count == 5, let count = Int(words[0]), count > 0,
            let kind = ObjectDescriptor.Kind(rawValue: String(words[1])), let bytes = Int(words[3]), bytes >= 0,
            words[4] == "private" || words[4] == "public"
        else { return nil }
        let algorithm = KeyPairAlgorithm(String(words[2]))
        guard algorithm != nil || words[2] == "-" else { return nil }
        let isPrivate = words[4] == "private"
        return (ObjectDescriptor(kind: kind, algorithm: algorithm, bytes: bytes, isPrivate: isPrivate), count)
    }

    var text: String {
        var lines = [Ledger.header]
        for (card, census) in self.cards.sorted(by: { $0.key < $1.key }) {
            lines.append("card \(card)")
            lines += census.counts.map { descriptor, count in
                let algorithm = descriptor.algorithm.map(\.description) ?? "-"
                let visibility = descriptor.isPrivate ? "private" : "public"
                return "\(count) \(descriptor.kind.rawValue) \(algorithm) \(descriptor.bytes) \(visibility)"
            }.sorted()
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

internal import DeviceProfiles

/// What the ledger knows of one card: all that outlives a process, or that processes have in common.
struct CardRecord: Hashable, Sendable {
    /// Whether the card is in a reader, and in which.
    struct Presence: Hashable, Sendable {
        var isInserted = true
        /// How often it was put back.
        var insertion = 0
        /// The slot where it was put; `nil` for the slot of the module inside.
        var slot: UInt?
    }

    /// Wrong PINs since the last right one.
    struct PINCounter: Hashable, Sendable {
        var wrong = 0
        /// Locked by command; a counter that has reached its maximum is locked as well.
        var isLocked = false
    }

    var census = Census()
    var presence = Presence()
    var user = PINCounter()
    var securityOfficer = PINCounter()
    /// Entries in the audit log, where the profile bounds them.
    var logEntries = 0
    /// Sessions by process id, where the profile bounds them for the device.
    var sessions: [Int: Int] = [:]
}

extension CardRecord {
    /// Lines of the ledger; what is as on a new card has none.
    var lines: [String] {
        var lines: [String] = []
        if self.presence != Presence() {
            let slot = self.presence.slot.map { " \($0)" } ?? ""
            lines.append("\(self.presence.isInserted ? "in" : "out") \(self.presence.insertion)\(slot)")
        }
        for (name, counter) in [("user", self.user), ("so", self.securityOfficer)] where counter != PINCounter() {
            lines.append("pin \(name) \(counter.wrong) \(counter.isLocked ? "locked" : "open")")
        }
        if self.logEntries > 0 { lines.append("log \(self.logEntries)") }
        for (process, count) in self.sessions.sorted(by: { $0.key < $1.key }) {
            lines.append("sessions \(process) \(count)")
        }
        return lines + self.census.lines
    }

    /// Takes one line in.
    ///
    /// - Returns: false when it is not a line of a ledger.
    mutating func read(_ line: Substring) -> Bool {
        let words = line.split(separator: " ")
        guard let keyword = words.first else { return false }
        switch keyword {
        case "in", "out": return self.readPresence(words)
        case "pin": return self.readPIN(words)
        case "log":
            guard words.count == 2, let count = Int(words[1]), count > 0 else { return false }
            self.logEntries = count
            return true
        case "sessions":
            guard words.count == 3, let process = Int(words[1]), let count = Int(words[2]), count > 0 else {
                return false
            }
            self.sessions[process] = count
            return true
        default: return self.census.read(words)
        }
    }

    private mutating func readPresence(_ words: [Substring]) -> Bool {
        guard (2...3).contains(words.count), let insertion = Int(words[1]), insertion >= 0 else { return false }
        let slot = words.count == 3 ? UInt(words[2]) : nil
        guard words.count == 2 || slot != nil else { return false }
        self.presence = Presence(isInserted: words[0] == "in", insertion: insertion, slot: slot)
        return true
    }

    private mutating func readPIN(_ words: [Substring]) -> Bool {
        guard words.count == 4, let wrong = Int(words[2]), wrong >= 0, words[3] == "open" || words[3] == "locked" else {
            return false
        }
        let counter = PINCounter(wrong: wrong, isLocked: words[3] == "locked")
        switch words[1] {
        case "user": self.user = counter
        case "so": self.securityOfficer = counter
        default: return false
        }
        return true
    }
}

extension Census {
    /// One line for each kind of object: `COUNT KIND ALGORITHM BYTES VISIBILITY`, `-` for no algorithm.
    var lines: [String] {
        self.counts.map { descriptor, count in
            let algorithm = descriptor.algorithm.map(\.description) ?? "-"
            let visibility = descriptor.isPrivate ? "private" : "public"
            return "\(count) \(descriptor.kind.rawValue) \(algorithm) \(descriptor.bytes) \(visibility)"
        }.sorted()
    }

    fileprivate mutating func read(_ words: [Substring]) -> Bool {
        guard words.count == 5, let count = Int(words[0]), count > 0,
            let kind = ObjectDescriptor.Kind(rawValue: String(words[1])), let bytes = Int(words[3]), bytes >= 0,
            words[4] == "private" || words[4] == "public"
        else { return false }
        let algorithm = KeyPairAlgorithm(String(words[2]))
        guard algorithm != nil || words[2] == "-" else { return false }
        let isPrivate = words[4] == "private"
        self.add(ObjectDescriptor(kind: kind, algorithm: algorithm, bytes: bytes, isPrivate: isPrivate), count: count)
        return true
    }
}

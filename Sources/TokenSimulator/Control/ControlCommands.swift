internal import DeviceProfiles

/// Carries out what comes over the control socket. Everything is done to the ledger, where all processes that use the
/// cards see it; the module inside is never called, because the program may not allow calls from other threads.
struct ControlCommands: Sendable {
    let ledger: LedgerStore
    let events: EventLog?

    /// The answer to a request, without the end of its last line.
    func answer(_ request: String) -> String {
        do {
            let lines = try self.carryOut(request)
            if !request.hasPrefix("status") { self.events?.write(nil, "command: \(request)") }
            return (lines + ["ok"]).joined(separator: "\n")
        } catch let error as ControlError {
            return "error \(error.reason)"
        } catch let error as ProfileError {
            return "error " + (error.findings.first.map { "\($0.field) \($0.reason)" } ?? error.headline)
        } catch let error as SimulatorError {
            return "error \(error.headline)"
        } catch {
            return "error \(error)"
        }
    }

    private func carryOut(_ request: String) throws -> [String] {
        let words = request.split(separator: " ", maxSplits: 1).map(String.init)
        let rest = words.count == 2 ? words[1] : ""
        switch words.first {
        case "eject": try self.change(rest) { $0.suffer(.eject) }
        case "insert": try self.insert(rest)
        case "lock-pin": try self.change(rest) { $0.suffer(.lockPIN) }
        case "empty-log": try self.change(rest) { $0.logEntries = 0 }
        case "fail": try self.order(rest)
        case "clear": try self.ledger.withLedger { $0.orders = [:] }
        case "status": return self.status()
        default: throw ControlError(reason: "there is no command \"\(words.first ?? "")\"")
        }
        return []
    }

    private func insert(_ text: String) throws {
        let number = text.prefix { $0.isNumber }
        guard let slot = UInt(number) else {
            return try self.change(text) { $0.suffer(.insert) }
        }
        let selector = String(text.dropFirst(number.count).drop { $0 == " " })
        let isTaken = self.ledger.current().ledger.cards.values.contains {
            $0.presence.slot == slot && $0.presence.isInserted
        }
        guard !isTaken else { throw ControlError(reason: "slot \(slot) has a card") }
        try self.change(selector) { $0.suffer(.insert, slot: slot) }
    }

    /// Changes the card that `selector` names as `card=TEXT`, or the only one.
    private func change(_ selector: String, _ body: (inout CardRecord) -> Void) throws {
        guard selector.isEmpty || selector.hasPrefix("card=") else {
            throw ControlError(reason: "\"\(selector)\" is not card=TEXT")
        }
        let wanted = selector.dropFirst(5)
        let found = try self.ledger.withLedger { ledger in
            let names = ledger.cards.keys.filter { wanted.isEmpty || $0.contains(wanted) }.sorted()
            if names.count == 1 { body(&ledger[names[0]]) }
            return names
        }
        guard found.count != 1 else { return }
        let known = found.isEmpty ? "no card" : "more than one card: " + found.joined(separator: ", ")
        throw ControlError(reason: "there is \(known)\(wanted.isEmpty ? "" : " with \"\(wanted)\"")")
    }

    private func order(_ text: String) throws {
        guard let fault = try Fault(line: text) else { throw ControlError(reason: "fail needs a fault") }
        try self.ledger.withLedger { ledger in
            let number = (ledger.orders.keys.max() ?? 0) + 1
            ledger.orders[number] = fault.line
        }
    }

    private func status() -> [String] {
        let ledger = self.ledger.current().ledger
        let cards = ledger.cards.sorted { $0.key < $1.key }.map { name, record in
            let presence = record.presence
            let slot = presence.slot.map { ", slot \($0)" } ?? ""
            let log = record.logEntries > 0 ? ", \(record.logEntries) entries in its log" : ""
            let pin = record.user.isLocked ? "PIN locked" : "\(record.user.wrong) wrong PINs"
            return "card \(name): \(presence.isInserted ? "in" : "out")\(slot), inserted again \(presence.insertion) "
                + "times, \(record.census.objects) objects at the last look, \(pin)\(log)"
        }
        return cards + ledger.orders.sorted { $0.key < $1.key }.map { "fail \($0.value)" }
    }
}

/// A command that is not carried out.
private struct ControlError: Error {
    let reason: String
}

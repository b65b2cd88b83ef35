import DeviceProfiles
import Diagnostics
import Testing

@testable import TokenSimulator

@Suite("The ledger of what is on a card")
struct LedgerTests {
    let key = ObjectDescriptor(kind: .privateKey, algorithm: .p256, bytes: 0, isPrivate: true)
    let certificate = ObjectDescriptor(kind: .certificate, algorithm: nil, bytes: 700, isPrivate: false)

    @Test("A ledger is read as it was written")
    func roundTrip() throws {
        var ledger = Ledger()
        ledger["0001 card one"].census.add(self.key, count: 2)
        ledger["0001 card one"].census.add(self.certificate)
        ledger["0002 "].presence = CardRecord.Presence(isInserted: false, insertion: 3, slot: 7)
        ledger["0002 "].user = CardRecord.PINCounter(wrong: 2, isLocked: true)
        ledger["0002 "].sessions = [41: 2]
        ledger.orders[5] = "{function: C_Sign, call: 1, returns: CKR_DEVICE_ERROR}"
        #expect(try #require(Ledger(text: ledger.text)) == ledger)
        #expect(
            ledger.text == """
                signet-simulator-ledger 1
                order 5 {function: C_Sign, call: 1, returns: CKR_DEVICE_ERROR}
                card 0001 card one
                1 certificate - 700 public
                2 private-key p256 0 private
                card 0002 \n\
                out 3 7
                pin user 2 locked
                sessions 41 2

                """)
    }

    @Test(
        "A text that is not a ledger is refused",
        arguments: [
            "", "signet-simulator-ledger 1", "signet-simulator-ledger 2\n",
            "signet-simulator-ledger 1\n1 data - 5 public\n",
            "signet-simulator-ledger 1\ncard x\n1 data - 5 secret\n",
            "signet-simulator-ledger 1\ncard x\n-1 data - 5 public\n",
            "signet-simulator-ledger 1\ncard x\n1 data p257 5 public\n",
            "signet-simulator-ledger 1\ncard x\n1 data - 5 public extra\n",
            "signet-simulator-ledger 1\ncard x\n1 data - 5 public",
            "signet-simulator-ledger 1\ncard x\nout\n", "signet-simulator-ledger 1\ncard x\nin 1 here\n",
            "signet-simulator-ledger 1\ncard x\npin user 2\n", "signet-simulator-ledger 1\ncard x\npin who 2 open\n",
            "signet-simulator-ledger 1\ncard x\nsessions 5 0\n", "signet-simulator-ledger 1\norder x {}\n",
        ])
    func notALedger(_ text: String) {
        #expect(Ledger(text: text) == nil)
    }

    @Test("Without login, public objects are those seen and private ones those remembered")
    func completed() {
        var earlier = Census()
        earlier.add(self.key, count: 3)
        earlier.add(self.certificate, count: 5)
        var seen = Census()
        seen.add(self.certificate, count: 1)
        let whole = seen.completed(from: earlier)
        #expect(whole.counts == [self.key: 3, self.certificate: 1])
    }
}

@Suite("Limits of a card")
struct CardLimitTests {
    let publicHalf = ObjectDescriptor(kind: .publicKey, algorithm: .p256, bytes: 0, isPrivate: false)
    let privateHalf = ObjectDescriptor(kind: .privateKey, algorithm: .p256, bytes: 0, isPrivate: true)

    func limits(_ capacity: String) throws -> CardLimits {
        let text = "name: x\nsummary: x\nevidence: derived\nsource: a test\ncapacity:\n\(capacity)"
        return CardLimits(capacity: try DeviceProfile(yaml: text, file: "x.yaml").capacity)
    }

    @Test("Each limit is answered with its own code")
    func codes() throws {
        let codes =
            "  full_rv: {keygen: FUNCTION_FAILED, create: HOST_MEMORY, dir: GENERAL_ERROR, objects: DEVICE_ERROR}\n"
        var census = Census()
        census.add(self.privateHalf)
        census.add(self.publicHalf)
        let pair = [self.publicHalf, self.privateHalf]
        let objects = try self.limits("  max_objects: 3\n" + codes)
        #expect(objects.pairRefusal(pair, on: census) == .deviceError)
        let directory = try self.limits("  dir: {prkdf: 90}\n  dir_entry: {prkdf: 50}\n" + codes)
        #expect(directory.pairRefusal(pair, on: census) == .generalError)
        let bytes = try self.limits("  bytes: 900\n  reserved: 100\n  cost: {p256: 401}\n" + codes)
        #expect(bytes.pairRefusal(pair, on: census) == .functionFailed)
        #expect(bytes.refusal(of: pair, on: census, operation: .create) == .hostMemory)
        let pairs = try self.limits("  max_pairs: {p256: 1}\n" + codes)
        #expect(pairs.pairRefusal(pair, on: census) == .functionFailed)
        #expect(pairs.pairRefusal(pair, on: Census()) == nil)
    }

    @Test("A card that is exactly filled takes the object, one byte less refuses it")
    func boundary() throws {
        let exact = try self.limits("  bytes: 500\n  reserved: 100\n  cost: {p256: 400}\n")
        #expect(exact.pairRefusal([self.publicHalf, self.privateHalf], on: Census()) == nil)
        let short = try self.limits("  bytes: 499\n  reserved: 100\n  cost: {p256: 400}\n")
        #expect(short.pairRefusal([self.publicHalf, self.privateHalf], on: Census()) == .deviceMemory)
    }

    @Test("An object of unknown cost does not fit where bytes are counted")
    func unknownCost() throws {
        let limits = try self.limits("  bytes: 5000\n  reserved: 0\n")
        #expect(limits.pairRefusal([self.publicHalf, self.privateHalf], on: Census()) == .deviceMemory)
    }

    @Test("Changing an object's content counts the difference only")
    func replacing() throws {
        let limits = try self.limits("  bytes: 1000\n  reserved: 0\n  header: {data: 0}\n")
        let old = ObjectDescriptor(kind: .data, algorithm: nil, bytes: 900, isPrivate: false)
        let new = ObjectDescriptor(kind: .data, algorithm: nil, bytes: 1000, isPrivate: false)
        var census = Census()
        census.add(old)
        #expect(limits.refusal(of: [new], on: census, replacing: old, operation: .setAttribute) == nil)
        #expect(limits.refusal(of: [new], on: census, operation: .create) == .deviceMemory)
    }

    @Test("Only a profile that says so leaves an orphan, and only when the private half fits")
    func orphan() throws {
        let pair = [self.publicHalf, self.privateHalf]
        let bytes = "  reserved: 0\n  cost: {p256: 400}\n"
        #expect(try self.limits("  bytes: 350\n  residue: orphan-key\n" + bytes).leavesOrphan(of: pair, on: Census()))
        #expect(try !self.limits("  bytes: 350\n  residue: none\n" + bytes).leavesOrphan(of: pair, on: Census()))
        #expect(try !self.limits("  bytes: 300\n  residue: orphan-key\n" + bytes).leavesOrphan(of: pair, on: Census()))
    }
}

import DeviceProfiles
import Diagnostics
import Testing

@testable import TokenSimulator

@Suite("Faults by script")
struct FaultScriptTests {
    func script(_ lines: String..., seed: UInt64 = 0) throws -> FaultScript {
        FaultScript(try lines.compactMap { try Fault(line: $0) }, seed: seed)
    }

    /// Runs a call as the simulation does, and tells whether its work was done.
    func run(
        _ script: FaultScript, _ function: FunctionName = .sign, isSizeQuery: Bool = false, label: String? = nil,
        gives own: UInt = 0
    ) -> (result: UInt, isDone: Bool) {
        let subject = label.map { KeySubject(label: $0, id: [1]) }
        let call = Call(function: function, isSizeQuery: isSizeQuery, subject: subject)
        if let failing = script.take(before: call).compactMap(\.fault.returns).first {
            return (failing.rawValue, false)
        }
        guard own == 0 else { return (own, true) }
        return (script.take(after: call).compactMap(\.fault.returns).first?.rawValue ?? own, true)
    }

    func failures(_ script: FaultScript, of calls: Int) -> [Int] {
        (1...calls).filter { _ in self.run(script).result != 0 }
    }

    @Test("The fault takes the place of its call, once")
    func before() throws {
        let script = try self.script("function: C_Sign, call: 2, returns: DEVICE_ERROR")
        let runs = (1...4).map { _ in self.run(script) }
        #expect(runs.map(\.result) == [0, ReturnValue.deviceError.rawValue, 0, 0])
        #expect(runs.map(\.isDone) == [true, false, true, true])
    }

    @Test("A fault after the work spoils the result only")
    func after() throws {
        let script = try self.script("function: C_Sign, call: 2, returns: DEVICE_ERROR, after: true")
        let runs = (1...3).map { _ in self.run(script) }
        #expect(runs.map(\.result) == [0, ReturnValue.deviceError.rawValue, 0])
        #expect(runs.map(\.isDone) == [true, true, true])
    }

    @Test("Size queries, failed calls and other functions do not count")
    func notCounted() throws {
        let script = try self.script("function: C_Sign, call: 2, returns: DEVICE_ERROR, after: true")
        #expect(self.run(script).result == 0)
        #expect(self.run(script, isSizeQuery: true).result == 0)
        #expect(self.run(script, .verify).result == 0)
        #expect(self.run(script, gives: 5).result == 5)
        #expect(self.run(script).result == ReturnValue.deviceError.rawValue)
    }

    @Test("Every third call fails, and a call that fails by itself is no third")
    func every() throws {
        let script = try self.script("function: C_Sign, every: 3, returns: DEVICE_ERROR")
        #expect(self.failures(script, of: 10) == [3, 6, 9])
        let other = try self.script("function: C_Sign, every: 2, returns: DEVICE_ERROR, after: true")
        let results = [0, 5, 0, 0, 5, 0].map { self.run(other, gives: $0).result }
        #expect(results == [0, 5, 0x30, 0, 5, 0x30])
    }

    @Test("Chance is the same for the same seed, another for another, and as often as was said")
    func probability() throws {
        let line = "function: C_Sign, probability: 0.25, returns: DEVICE_ERROR"
        let first = self.failures(try self.script(line, seed: 7), of: 2000)
        #expect(first == self.failures(try self.script(line, seed: 7), of: 2000))
        #expect(first != self.failures(try self.script(line, seed: 8), of: 2000))
        #expect((430...570).contains(first.count))
    }

    @Test("A fault for one key does not count the calls with others")
    func byKey() throws {
        let script = try self.script(
            "function: C_Sign, key: {label: kra, id: '01'}, call: 2, returns: KEY_INDIGESTIBLE")
        let labels = ["kra", "ca", nil, "kra", "kra"]
        #expect(labels.map { self.run(script, label: $0).result } == [0, 0, 0, 0x67, 0])
    }

    @Test("One call may meet a wait and a failure, and the wait alone lets it go on")
    func together() throws {
        let script = try self.script(
            "function: C_Sign, every: 1, hang: 0.001", "function: any, call: 2, returns: DEVICE_ERROR")
        let call = Call(function: .sign)
        #expect(script.take(before: call).map(\.fault.hang) == [0.001])
        #expect(script.take(after: call).isEmpty)
        #expect(script.take(before: call).map(\.fault.returns) == [nil, .deviceError])
        #expect(script.take(before: Call(function: .initialize)).isEmpty)
    }

    @Test("What was ordered keeps its count when another order comes, and is gone when it is taken back")
    func orders() throws {
        let script = try self.script()
        let second = try Fault(line: "function: C_Sign, call: 2, returns: DEVICE_ERROR")
        let other = try Fault(line: "{function: C_Verify, returns: DEVICE_ERROR}")
        script.adopt([1: second].compactMapValues(\.self))
        #expect(self.run(script).result == 0)
        script.adopt([1: second, 2: other].compactMapValues(\.self))
        #expect(self.run(script).result == ReturnValue.deviceError.rawValue)
        script.adopt([:])
        #expect(self.run(script, .verify).result == 0)
        #expect(!script.isArmed)
    }

    @Test("A fault is written as it is read")
    func lines() throws {
        for line in [
            "{function: C_Sign, key: {label: \"a \\\"b\\\"\", id: \"0aff\"}, every: 3, hang: 0.5, effect: eject}",
            "{function: [C_Decrypt, C_Sign], call: 4, returns: CKR_DEVICE_ERROR, after: true}",
            "{function: any, probability: 0.5, returns: CKR_DEVICE_REMOVED}",
            "{function: C_SignInit, call: 2, effect: another-key}",
        ] {
            let fault = try Fault(line: line)
            #expect(fault?.line == line)
        }
        let chance = try Fault(line: "function: C_Sign, probability: 0.5, returns: OK")
        #expect(chance?.replayLine(at: 9) == "{function: C_Sign, call: 9, returns: CKR_OK}")
    }

    @Test(
        "A fault that says nothing, or two things at once, is refused",
        arguments: [
            ("function: C_Sign", "returns"), ("function: C_Sign, call: 1, every: 2, returns: OK", "every"),
            ("function: C_Sign, probability: 1.5, returns: OK", "probability"),
            ("function: C_Sign, effect: lose", "effect"), ("function: C_Sign, hang: -1, returns: OK", "hang"),
            ("function: C_CreateObject, effect: lose, returns: OK", "returns"),
            ("function: C_Sign, effect: another-key", "effect"),
            ("function: C_SignInit, effect: another-key, after: true", "after"),
            ("function: C_Sign, key: {id: 'xyz'}, returns: OK", "key.id"), ("call: 1, returns: OK", "function"),
        ])
    func refused(_ line: String, field: String) {
        #expect {
            _ = try Fault(line: line)
        } throws: { error in
            (error as? ProfileError)?.findings.map(\.field) == [field]
        }
    }
}

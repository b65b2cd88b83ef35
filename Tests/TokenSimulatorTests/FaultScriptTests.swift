import Diagnostics
import Testing
import TokenSimulator

@Suite("Faults by script")
struct FaultScriptTests {
    func script(call: Int, after: Bool) -> FaultScript {
        FaultScript([Fault(function: .sign, call: call, returns: .deviceError, after: after)])
    }

    @Test("The fault takes the place of its call, once")
    func before() {
        let script = self.script(call: 2, after: false)
        var done = 0
        let results = (1...4).map { _ in
            script.run(.sign, isSizeQuery: false) {
                done += 1
                return 0
            }
        }
        #expect(results == [0, ReturnValue.deviceError.rawValue, 0, 0])
        #expect(done == 3)
    }

    @Test("A fault after the work spoils the result only")
    func after() {
        let script = self.script(call: 2, after: true)
        var done = 0
        let results = (1...3).map { _ in
            script.run(.sign, isSizeQuery: false) {
                done += 1
                return 0
            }
        }
        #expect(results == [0, ReturnValue.deviceError.rawValue, 0])
        #expect(done == 3)
    }

    @Test("Size queries, failed calls and other functions do not count")
    func notCounted() {
        let script = self.script(call: 2, after: false)
        #expect(script.run(.sign, isSizeQuery: false) { 0 } == 0)
        #expect(script.run(.sign, isSizeQuery: true) { 0 } == 0)
        #expect(script.run(.verify, isSizeQuery: false) { 0 } == 0)
        #expect(script.run(.sign, isSizeQuery: false) { 0 } == ReturnValue.deviceError.rawValue)
        let failing = self.script(call: 2, after: false)
        #expect(failing.run(.sign, isSizeQuery: false) { 5 } == 5)
        #expect(failing.run(.sign, isSizeQuery: false) { 5 } == 5)
        #expect(failing.run(.sign, isSizeQuery: false) { 0 } == 0)
        #expect(failing.run(.sign, isSizeQuery: false) { 0 } == ReturnValue.deviceError.rawValue)
    }
}

import CProcess
import Glibc
import Testing

@testable import CAService

@Suite("What a process does so that secrets do not leave it")
struct ProcessHardeningTests {
    @Test("A hardened process has no room for a core, and is not dumpable, so that no program is given one")
    func core() async {
        await #expect(processExitsWith: .success) {
            #expect(signet_get_dumpable() == 1)
            try ProcessHardening.forbidCoreDumps()
            var limit = rlimit(rlim_cur: 1, rlim_max: 1)
            #expect(getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0)
            #expect(limit.rlim_cur == 0 && limit.rlim_max == 0)
            #expect(signet_get_dumpable() == 0)
        }
    }
}

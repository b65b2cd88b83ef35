import CProcess
import Foundation
import Glibc
import PKIMessages
import Testing

@testable import CAService

@Suite("What a process does so that secrets do not leave it")
struct ProcessHardeningTests {
    @Test("A hardened process has no room for a core, and is not dumpable, so that no program is given one")
    func core() async {
        await #expect(processExitsWith: .success) {
            #expect(signet_get_dumpable() == 1)
            try ProcessHardening.begin()
            var limit = rlimit(rlim_cur: 1, rlim_max: 1)
            #expect(getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0)
            #expect(limit.rlim_cur == 0 && limit.rlim_max == 0)
            #expect(signet_get_dumpable() == 0)
        }
    }

    /// Each time one in seventeen ended with a signal when libcrypto freed at the end what its threads' ends use (3.0.22).
    @Test("A process that ends while its threads end does so without a signal", arguments: 0..<20)
    func end(_ number: Int) async {
        await #expect(processExitsWith: .success) {
            try ProcessHardening.begin()
            for index in 0..<24 {
                Thread.detachNewThread {
                    // `try?`: what comes of it is not asked, only that this thread has used libcrypto.
                    _ = try? LibCrypto.randomBytes(16)
                    usleep(1_000 + UInt32(index) * 15)
                }
            }
            usleep(1_300)
            exit(0)
        }
    }
}

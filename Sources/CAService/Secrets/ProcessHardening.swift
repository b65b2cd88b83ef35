import Glibc

/// What a process does so that secrets do not leave it.
package enum ProcessHardening {
    /// No core dump.
    package static func forbidCoreDumps() {
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
    }
}

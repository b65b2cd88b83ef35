import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Pages of their own, locked against swapping and kept out of core dumps; all zeros when they are taken.
struct LockedMemory {
    let base: UnsafeMutableRawPointer
    let size: Int
    /// False where the system refused the lock.
    let isLocked: Bool

    /// Addresses of single pages that were given back.
    ///
    /// To map, lock and unmap a page are six system calls, and each unmapping interrupts the processors of all other threads. A
    /// request needs some of them for a moment. As with every allocator there is one for the process; nothing is in it but zeros.
    private static let free = Mutex<[UInt]>([])
    /// So many stay locked at most: less than the 64 KiB that a process may lock where the system is strict.
    private static let maximumFree = 8

    /// - Throws: ``SecretMemoryError`` when the system gives no memory.
    static func take(capacity: Int) throws -> LockedMemory {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        if capacity <= page, let address = self.free.withLock({ $0.popLast() }),
            let base = UnsafeMutableRawPointer(bitPattern: address)
        {
            return LockedMemory(base: base, size: page, isLocked: true)
        }
        let size = max(page, (capacity + page - 1) / page * page)
        guard let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), base != MAP_FAILED
        else { throw SecretMemoryError(requestedBytes: capacity, errno: errno) }
        let isLocked = mlock(base, size) == 0
        _ = madvise(base, size, MADV_DONTDUMP)
        return LockedMemory(base: base, size: size, isLocked: isLocked)
    }

    /// Wipes the memory, which nobody may use any more.
    func giveBack() {
        explicit_bzero(self.base, self.size)
        let isKept =
            self.isLocked && self.size == Int(sysconf(Int32(_SC_PAGESIZE)))
            && LockedMemory.free.withLock { free in
                guard free.count < LockedMemory.maximumFree else { return false }
                free.append(UInt(bitPattern: self.base))
                return true
            }
        guard !isKept else { return }
        munlock(self.base, self.size)
        munmap(self.base, self.size)
    }
}

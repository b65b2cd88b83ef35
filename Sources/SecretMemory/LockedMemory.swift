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

    private static let page = Int(sysconf(Int32(_SC_PAGESIZE)))

    /// Addresses of single pages that were given back.
    ///
    /// To map, lock and unmap a page are six system calls, and each unmapping interrupts the processors of all other threads. A
    /// request needs some of them for a moment. As with every allocator there is one for the process; nothing is in it but zeros.
    private static let free = Mutex<[UInt]>([])
    /// As many as requests that are answered at a time have in use.
    private static let maximumFree = 64

    /// - Throws: ``SecretMemoryError`` when the system gives no memory.
    static func take(capacity: Int) throws -> LockedMemory {
        if capacity <= self.page, let address = self.free.withLock({ $0.popLast() }),
            let base = UnsafeMutableRawPointer(bitPattern: address)
        {
            return LockedMemory(base: base, size: self.page, isLocked: true)
        }
        let size = max(self.page, (capacity + self.page - 1) / self.page * self.page)
        guard let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), base != MAP_FAILED
        else { throw SecretMemoryError(requestedBytes: capacity, errno: errno) }
        // What a process may lock is little on some systems: what is kept makes room for what is used.
        let isLocked = mlock(base, size) == 0 || (self.giveUpFree() && mlock(base, size) == 0)
        _ = madvise(base, size, MADV_DONTDUMP)
        return LockedMemory(base: base, size: size, isLocked: isLocked)
    }

    /// Wipes the memory, which nobody may use any more.
    func giveBack() {
        explicit_bzero(self.base, self.size)
        let isKept =
            self.isLocked && self.size == LockedMemory.page
            && LockedMemory.free.withLock { free in
                guard free.count < LockedMemory.maximumFree else { return false }
                free.append(UInt(bitPattern: self.base))
                return true
            }
        if !isKept { self.unmap() }
    }

    /// - Returns: whether there was any.
    private static func giveUpFree() -> Bool {
        let addresses = self.free.withLock { free in
            defer { free = [] }
            return free
        }
        for address in addresses {
            guard let base = UnsafeMutableRawPointer(bitPattern: address) else { continue }
            LockedMemory(base: base, size: LockedMemory.page, isLocked: true).unmap()
        }
        return !addresses.isEmpty
    }

    private func unmap() {
        munlock(self.base, self.size)
        munmap(self.base, self.size)
    }
}

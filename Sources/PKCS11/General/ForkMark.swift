internal import Glibc
internal import Synchronization

/// Tells whether the process is still the one that made the mark, without asking the kernel each time: a page that the
/// kernel clears in every child (`MADV_WIPEONFORK`, Linux 4.14).
///
/// `@unchecked Sendable`: written before anybody else sees it, by the kernel only after that.
final class ForkMark: @unchecked Sendable {
    private let page: UnsafeMutableRawPointer?
    private let size = 4096
    private let processID = getpid()

    init() {
        let page = mmap(nil, self.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let page, page != MAP_FAILED else {
            self.page = nil
            return
        }
        guard madvise(page, self.size, MADV_WIPEONFORK) == 0 else {
            munmap(page, self.size)
            self.page = nil
            return
        }
        page.storeBytes(of: 1, as: UInt8.self)
        self.page = page
    }

    deinit {
        if let page = self.page { munmap(page, self.size) }
    }

    var isForked: Bool {
        guard let page = self.page else { return getpid() != self.processID }
        return page.load(as: UInt8.self) == 0
    }
}

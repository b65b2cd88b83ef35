import Foundation
import Testing

/// SoftHSM reads its configuration with `strtok` whenever it is initialised; copies of it do so on many threads at once.
@Suite struct ThreadSafeTokenizingTests {
    private typealias Text = UnsafeMutablePointer<CChar>
    private typealias Tokenize = @convention(c) (Text?, UnsafePointer<CChar>) -> Text?

    @Test("What a module reads with strtok on one thread is not mixed with what another thread reads meanwhile")
    func threads() throws {
        // The one that every library of this process gets.
        let symbol = try #require(dlsym(nil, "strtok"))
        let tokenize = unsafeBitCast(symbol, to: Tokenize.self)
        var one = Array("directories.tokendir = /one".utf8CString)
        let isRead = one.withUnsafeMutableBufferPointer { text in
            guard let name = tokenize(text.baseAddress, "= ") else { return false }
            let thread = Thread {
                var other = Array("directories.tokendir = /other".utf8CString)
                other.withUnsafeMutableBufferPointer { _ = tokenize($0.baseAddress, "= ") }
            }
            thread.start()
            while !thread.isFinished { sched_yield() }
            guard let value = tokenize(nil, "= ") else { return false }
            return String(cString: name) == "directories.tokendir" && String(cString: value) == "/one"
        }
        #expect(isRead)
    }
}

internal import Glibc

/// A thread that is not waited for.
final class DetachedThread {
    private let body: () -> Void

    private init(_ body: @escaping () -> Void) { self.body = body }

    /// - Returns: false when the system has no thread.
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        let reference = Unmanaged.passRetained(DetachedThread(body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<DetachedThread>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, reference.toOpaque())
        guard result == 0 else {
            reference.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}

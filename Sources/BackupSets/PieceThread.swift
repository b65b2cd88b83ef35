import Foundation

/// Pieces on their way from one thread to another, in order and a few at a time, so that both work at once.
final class PieceQueue<Piece: Sendable>: @unchecked Sendable {
    // `@unchecked`: what changes is read and written under `condition`.
    private let condition = NSCondition()
    private var pieces: [Piece] = []
    private var isClosed = false
    private var failure: (any Error)?

    /// So many wait at the most.
    private static var capacity: Int { 4 }

    /// Waits while the queue is full.
    ///
    /// - Throws: what the queue was closed with; `CancellationError` when it was closed without an error.
    func put(_ piece: Piece) throws {
        self.condition.lock()
        defer { self.condition.unlock() }
        while self.pieces.count >= Self.capacity, !self.isClosed { self.condition.wait() }
        guard !self.isClosed else { throw self.failure ?? CancellationError() }
        self.pieces.append(piece)
        self.condition.broadcast()
    }

    /// Waits for a piece.
    ///
    /// - Returns: `nil` when the queue was closed and nothing is in it any more.
    /// - Throws: what the queue was closed with, when nothing is in it any more.
    func next() throws -> Piece? {
        self.condition.lock()
        defer { self.condition.unlock() }
        while self.pieces.isEmpty, !self.isClosed { self.condition.wait() }
        guard self.pieces.isEmpty else {
            self.condition.broadcast()
            return self.pieces.removeFirst()
        }
        if let failure = self.failure { throw failure }
        return nil
    }

    /// Neither side puts anything in any more.
    func close(_ failure: (any Error)? = nil) {
        self.condition.lock()
        defer { self.condition.unlock() }
        guard !self.isClosed else { return }
        self.isClosed = true
        self.failure = failure
        self.condition.broadcast()
    }
}

/// A thread that takes pieces, or makes them, beside the one that has this object. Its priority is that of the thread that
/// makes it (nice(2)).
final class PieceThread<Piece: Sendable, R: Sendable>: Sendable {
    let queue = PieceQueue<Piece>()
    private let results = PieceQueue<R>()

    /// - Parameter body: the queue is closed when it returns or throws, with what it throws.
    init(_ body: @escaping @Sendable (PieceQueue<Piece>) throws -> R) {
        let (queue, results) = (self.queue, self.results)
        Thread.detachNewThread {
            do {
                try results.put(body(queue))
                queue.close()
            } catch {
                results.close(error)
                queue.close(error)
            }
        }
    }

    /// Waits until the thread has ended its work. To be asked once.
    ///
    /// - Throws: what it has thrown.
    func result() throws -> R {
        guard let result = try self.results.next() else { throw CancellationError() }
        return result
    }

    deinit {
        self.queue.close()
    }
}

public import Diagnostics
internal import Foundation
internal import Glibc

/// Refused PINs in a file of one line a token, readable by its owner only, and locked across processes.
public struct PINRefusalFile: PINRefusalStore {
    /// The file; `PATH.lock` beside it is the lock.
    public let path: String
    /// How long another process may hold the lock: it is held during a login.
    public let patience: Duration

    /// - Parameter path: need not exist; its directory has to.
    public init(path: String, patience: Duration = .seconds(150)) {
        self.path = path
        self.patience = patience
    }

    public func refusal(for token: TokenIdentification) throws -> PINRefusal? {
        try self.read().first { self.fits($0, token) }
    }

    public func record(_ token: TokenIdentification, at time: Int64) throws {
        var all = try self.read()
        let before = all.first { self.fits($0, token) }?.count ?? 0
        all.removeAll { self.fits($0, token) }
        all.append(
            PINRefusal(serialNumber: token.serialNumber, label: token.label, time: time, count: before + 1))
        try self.write(all)
    }

    public func clear(_ token: TokenIdentification) throws {
        let all = try self.read()
        guard all.contains(where: { self.fits($0, token) }) else { return }
        try self.write(all.filter { !self.fits($0, token) })
    }

    public func exclusively<R: Sendable>(_ body: @Sendable () async throws -> R) async throws -> R {
        let lock = open(self.path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else { throw PINRefusalError.unusable(self.path + ".lock", errno: errno) }
        // Closing the descriptor gives the lock back.
        defer { close(lock) }
        let end = ContinuousClock.now + self.patience
        while flock(lock, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                throw PINRefusalError.unusable(self.path, errno: errno)
            }
            guard ContinuousClock.now < end else { throw PINRefusalError.locked(self.path) }
            try await Task.sleep(for: .milliseconds(20))
        }
        return try await body()
    }

    private func fits(_ refusal: PINRefusal, _ token: TokenIdentification) -> Bool {
        refusal.serialNumber == token.serialNumber && refusal.label == token.label
    }

    // MARK: The file: serial number, label, time and count, separated by tabs, the texts percent-encoded.

    private func read() throws -> [PINRefusal] {
        let file = open(self.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if file < 0, errno == ENOENT { return [] }
        guard file >= 0 else { throw PINRefusalError.unusable(self.path, errno: errno) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count <= PINRefusalFile.largestBytes {
            let count = Glibc.read(file, &chunk, chunk.count)
            guard count >= 0 else { throw PINRefusalError.unusable(self.path, errno: errno) }
            guard count > 0 else { return try self.parse(bytes) }
            bytes += chunk.prefix(count)
        }
        throw PINRefusalError.unreadable(self.path)
    }

    private func parse(_ bytes: [UInt8]) throws -> [PINRefusal] {
        try String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 4, let serial = fields[0].removingPercentEncoding,
                let label = fields[1].removingPercentEncoding, let time = Int64(fields[2]), let count = Int(fields[3])
            else { throw PINRefusalError.unreadable(self.path) }
            return PINRefusal(serialNumber: serial, label: label, time: time, count: count)
        }
    }

    /// A new file takes the place of the old one, so that a crash leaves one or the other.
    private func write(_ refusals: [PINRefusal]) throws {
        let lines = refusals.map { refusal in
            let texts = [refusal.serialNumber, refusal.label].map {
                // Without unencodable characters the encoding does not fail; a label that has some keeps its scalars.
                $0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            }
            return "\(texts[0])\t\(texts[1])\t\(refusal.time)\t\(refusal.count)\n"
        }
        let new = self.path + ".new"
        let file = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw PINRefusalError.unusable(new, errno: errno) }
        let bytes = Array(lines.joined().utf8)
        let written = Glibc.write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
        let failure = errno
        close(file)
        guard written else { throw PINRefusalError.unusable(new, errno: failure) }
        guard rename(new, self.path) == 0 else { throw PINRefusalError.unusable(self.path, errno: errno) }
    }

    private static let largestBytes = 1 << 20
}

/// The memory of refused PINs cannot be used. No login is tried then.
public struct PINRefusalError: DiagnosableError, Equatable {
    public let path: String
    /// What is wrong, as a clause.
    public let reason: String

    public var headline: String { "The memory of refused PINs \(self.path) cannot be used: \(self.reason)." }
    public var hresult: HRESULT { .accessDenied }
    public var advice: [Advice] {
        ["Make the file and its directory readable and writable for the user of this program, and for nobody else."]
    }

    static func unusable(_ path: String, errno: Int32) -> PINRefusalError {
        PINRefusalError(path: path, reason: String(cString: strerror(errno)))
    }

    static func locked(_ path: String) -> PINRefusalError {
        PINRefusalError(path: path, reason: "another program that logs in holds its lock")
    }

    static func unreadable(_ path: String) -> PINRefusalError {
        PINRefusalError(path: path, reason: "it is not a list of refusals")
    }
}

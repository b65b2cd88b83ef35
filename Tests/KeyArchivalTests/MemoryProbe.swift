import Foundation
import PKIMessages
import SecretMemory
import TestSupport

/// Looks for the private components of a key in memory and in files, without having them: every fragment that is looked
/// for is masked, and so is what it is looked for in, in the probe's own buffer.
struct MemoryProbe: Codable {
    static let mask: UInt8 = 0x5A
    private static let fragmentBytes = 24
    private static let chunkBytes = 1 << 20

    struct Fragment: Codable {
        let name: String
        let masked: [UInt8]
    }

    let fragments: [Fragment]

    /// From the middle of each private number of the key, in both byte orders: libcrypto and PRIVATEKEYBLOB have the least
    /// significant byte first.
    init(privateKeyInfo: SecretBytes) throws {
        if try PrivateKeyInfo(derEncoded: privateKeyInfo).algorithm == OID.rsaEncryption {
            try self.init(rsa: privateKeyInfo)
        } else {
            try self.init(p256: privateKeyInfo)
        }
    }

    /// The one private number is the OCTET STRING of 32 bytes in the ECPrivateKey (RFC 5915, section 3).
    private init(p256 privateKeyInfo: SecretBytes) throws {
        self.fragments = try privateKeyInfo.withUnsafeBytes { bytes in
            let header: [UInt8] = [0x02, 0x01, 0x01, 0x04, 0x20]
            let start = (0...(bytes.count - header.count - 32)).first { offset in
                header.indices.allSatisfy { bytes[offset + $0] == header[$0] }
            }
            guard let start else { throw PKIMessageError.malformed("test key", "it is not on P-256") }
            let middle = start + header.count + (32 - MemoryProbe.fragmentBytes) / 2
            return MemoryProbe.fragments(
                "d", (0..<MemoryProbe.fragmentBytes).map { bytes[middle + $0] ^ MemoryProbe.mask })
        }
    }

    /// - Parameter masked: big-endian.
    private static func fragments(_ name: String, _ masked: [UInt8]) -> [Fragment] {
        [
            Fragment(name: "\(name), little-endian", masked: masked.reversed()),
            Fragment(name: "\(name), big-endian", masked: masked),
        ]
    }

    private init(rsa privateKeyInfo: SecretBytes) throws {
        let blob = try PrivateKeyBlob(privateKeyInfo: privateKeyInfo)
        let (bits, half) = (blob.modulusBits, blob.modulusBits / 16)
        let names = ["p", "q", "d mod p-1", "d mod q-1", "inverse of q"]
        var fields = names.indices.map { (names[$0], 20 + bits / 8 + $0 * half, half) }
        fields.append(("d", 20 + bits / 8 + 5 * half, bits / 8))
        self.fragments = blob.bytes.withUnsafeBytes { bytes in
            fields.flatMap { name, offset, length -> [Fragment] in
                let start = offset + length / 2 - MemoryProbe.fragmentBytes / 2
                let little = (0..<MemoryProbe.fragmentBytes).map { bytes[start + $0] ^ MemoryProbe.mask }
                return MemoryProbe.fragments(name, little.reversed())
            }
        }
    }

    /// The names of the fragments that are in a file, of any size.
    func found(inFile path: String) throws -> Set<String> {
        let file = open(path, O_RDONLY)
        guard file >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        defer { close(file) }
        let overlap = MemoryProbe.fragmentBytes - 1
        var buffer = [UInt8](repeating: 0, count: MemoryProbe.chunkBytes + overlap)
        var names: Set<String> = []
        var position = 0
        while true {
            let count = buffer.withUnsafeMutableBytes { bytes in
                let count = pread(file, bytes.baseAddress, bytes.count, off_t(position))
                if count > 0 {
                    names.formUnion(self.found(masking: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])))
                }
                return count
            }
            guard count >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
            guard count > overlap else { return names }
            position += count - overlap
        }
    }

    /// Both byte orders of all private numbers.
    var names: Set<String> { Set(self.fragments.map(\.name)) }

    /// The names of the fragments that are anywhere in this process's memory.
    func foundInThisProcess() throws -> Set<String> {
        let memory = open("/proc/self/mem", O_RDONLY)
        guard memory >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        defer { close(memory) }
        let overlap = MemoryProbe.fragmentBytes - 1
        // A mapping of its own, so that it can be left out.
        let size = MemoryProbe.chunkBytes + overlap
        let buffer = UnsafeMutableRawPointer(
            mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        guard let buffer, buffer != MAP_FAILED else { throw POSIXError(.ENOMEM) }
        defer { munmap(buffer, size) }
        let own = UInt(bitPattern: buffer)
        var names: Set<String> = []
        for region in try MemoryProbe.regions() {
            var position = region.lowerBound
            while position < region.upperBound {
                let wanted = min(UInt(size), region.upperBound - position)
                let isOwn = position < own + UInt(size) && own < position + wanted
                let count = isOwn ? 0 : pread(memory, buffer, Int(wanted), off_t(position))
                if count > 0 {
                    names.formUnion(
                        self.found(masking: UnsafeMutableRawBufferPointer(start: buffer, count: count)))
                }
                // What cannot be read, such as a guard page, is left out.
                position += isOwn || count <= 0 ? 4096 : max(UInt(count) - min(UInt(overlap), UInt(count) - 1), 1)
                if !isOwn, count > 0, position >= region.upperBound - UInt(overlap) { break }
            }
        }
        return names
    }

    private static func regions() throws -> [Range<UInt>] {
        try String(contentsOfFile: "/proc/self/maps", encoding: .utf8).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count >= 2, words[1].hasPrefix("rw"), words.last?.hasPrefix("[v") != true else { return nil }
            let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            return ends.count == 2 ? ends[0]..<ends[1] : nil
        }
    }

    private func found(masking bytes: UnsafeMutableRawBufferPointer) -> Set<String> {
        guard let start = bytes.baseAddress else { return [] }
        let words = bytes.count / 8
        let mask = UInt64(repeating: MemoryProbe.mask)
        for index in 0..<words {
            let offset = index * 8
            let word = start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            start.storeBytes(of: word ^ mask, toByteOffset: offset, as: UInt64.self)
        }
        for index in (words * 8)..<bytes.count { bytes[index] ^= MemoryProbe.mask }
        return Set(
            self.fragments.filter { MemoryProbe.contains($0.masked, from: start, to: start + bytes.count) }
                .map(\.name))
    }

    private static func contains(
        _ fragment: [UInt8], from start: UnsafeMutableRawPointer, to end: UnsafeMutableRawPointer
    ) -> Bool {
        let last = end - fragment.count
        var position = start
        while position <= last, let next = memchr(position, Int32(fragment[0]), last - position + 1) {
            if memcmp(next, fragment, fragment.count) == 0 { return true }
            position = next + 1
        }
        return false
    }
}

extension UInt64 {
    fileprivate init(repeating byte: UInt8) {
        self = (0..<8).reduce(0) { word, _ in word << 8 | UInt64(byte) }
    }
}

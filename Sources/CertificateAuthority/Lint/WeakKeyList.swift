package import PKIMessages

/// RSA keys whose private half everybody can know, such as those of Debian's broken generator (CVE-2008-0166).
///
/// The form is that of Debian's package `openssl-blacklist`: a line for each key, with the last 20 of the 40
/// hexadecimal digits of the SHA-1 of `Modulus=…` and a line feed; lines with all 40 digits, empty lines and lines that
/// begin with `#` are taken, too.
package struct WeakKeyList: Sendable {
    private struct Fingerprint: Hashable {
        let high: UInt16
        let low: UInt64

        /// The last ten of twenty bytes.
        init(_ bytes: ArraySlice<UInt8>) {
            let tail = bytes.suffix(10)
            self.high = tail.prefix(2).reduce(0) { $0 << 8 | UInt16($1) }
            self.low = tail.dropFirst(2).reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    private var fingerprints: Set<Fingerprint> = []

    package init() {}

    package var count: Int { self.fingerprints.count }

    /// Adds the lines of a file.
    ///
    /// - Returns: the number of the first line that is none, counted from 1, and `nil` when all are read.
    package mutating func add(_ text: String) -> Int? {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (number, digits) in lines.enumerated() {
            guard let first = digits.utf8.first, first != UInt8(ascii: "#") else { continue }
            guard digits.utf8.count == 20 || digits.utf8.count == 40, let bytes = Hexadecimal.bytes(String(digits))
            else { return number + 1 }
            self.fingerprints.insert(Fingerprint(bytes[...]))
        }
        return nil
    }

    package func contains(_ key: RSAPublicKey) -> Bool {
        guard !self.fingerprints.isEmpty else { return false }
        return self.fingerprints.contains(Fingerprint(Digest.sha1.hash(Array(key.opensslModulusText.utf8))[...]))
    }
}

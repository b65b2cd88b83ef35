/// A CA's name in file names and directories (MS-WCCE 3.1.1.4.1.1).
package enum CAName {
    /// The longest name that a directory takes with all suffixes behind it.
    private static let longest = 51
    private static let disallowed = Set("!\"#%&'()*+,/:;<=>?[\\]^`{|}".utf16)

    /// Every character outside printable ASCII, and those that file systems, URLs and names give a meaning, as `!` and
    /// four hexadecimal digits of its UTF-16 unit.
    package static func sanitized(_ name: String) -> String {
        self.units(name).joined()
    }

    /// The sanitised name, when it is longer than 51 characters cut to 45 and ended by a hyphen and a five-digit hash
    /// of what was cut off.
    package static func truncated(_ name: String) -> String {
        let units = self.units(name)
        guard units.reduce(0, { $0 + $1.count }) > self.longest else { return units.joined() }
        var kept = ""
        var rest = units[...]
        // An escape is never cut in two.
        while let next = rest.first, kept.count + next.count <= self.longest - 6 {
            kept += next
            rest = rest.dropFirst()
        }
        let hash = rest.joined().utf16.reduce(UInt16(0)) { hash, unit in
            (hash << 1 | hash >> 15) &+ unit
        }
        let digits = "\(hash)"
        return kept + "-" + String(repeating: "0", count: 5 - digits.count) + digits
    }

    private static func units(_ name: String) -> [String] {
        name.utf16.map { unit in
            if unit >= 0x20, unit <= 0x7E, !self.disallowed.contains(unit), let scalar = Unicode.Scalar(unit) {
                return String(Character(scalar))
            }
            let digits = String(unit, radix: 16)
            return "!" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }
}

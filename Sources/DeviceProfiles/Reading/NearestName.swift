/// Finds what was probably meant by a misspelled name.
enum NearestName {
    /// The candidate with the smallest edit distance, if that is at most a third of the name, at least 2.
    static func of(_ name: String, among candidates: some Sequence<String>) -> String? {
        let letters = Array(name.lowercased().utf8)
        let ranked = candidates.map { (distance: distance(letters, Array($0.lowercased().utf8)), name: $0) }
        let best = ranked.min { ($0.distance, $0.name) < ($1.distance, $1.name) }
        guard let best, best.distance <= max(2, letters.count / 3) else { return nil }
        return best.name
    }

    /// Levenshtein distance.
    private static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
        var row = Array(0...second.count)
        for (i, letter) in first.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in second.enumerated() {
                let substituted = diagonal + (letter == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[second.count]
    }
}

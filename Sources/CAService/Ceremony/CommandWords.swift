import Diagnostics

/// The words of a command line as a shell parts them: blanks part, quotation marks of both kinds hold together. There are
/// no variables, no patterns and no backslashes.
enum CommandWords {
    /// - Returns: `nil` when a quotation is not closed.
    static func split(_ line: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var quotation: Character?
        for character in line {
            switch (character, quotation) {
            case (_, .some(let mark)) where character == mark: quotation = nil
            case ("\"", nil), ("'", nil): (quotation, word) = (character, word ?? "")
            case (_, nil) where character.isWhitespace:
                if let whole = word { words.append(whole) }
                word = nil
            default: word = (word ?? "") + String(character)
            }
        }
        guard quotation == nil else { return nil }
        return words + (word.map { [$0] } ?? [])
    }
}

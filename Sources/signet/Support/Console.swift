import Foundation

/// Standard output and standard error.
enum Console {
    /// Is told every line as well, while a command's output is to be kept.
    @TaskLocal static var listener: (@Sendable (String) -> Void)?

    static func say(_ text: String) {
        print(text)
        Console.listener?(text)
    }

    static func complain(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
        Console.listener?(text)
    }

    /// Prints rows as a table with the columns under their headings.
    static func table(_ headings: [String], _ rows: [[String]]) {
        let widths = headings.indices.map { column in
            ([headings] + rows).map { $0[column].count }.max() ?? 0
        }
        for row in [headings] + rows {
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            Console.say(line)
        }
    }
}

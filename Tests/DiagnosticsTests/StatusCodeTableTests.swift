import Diagnostics
import Foundation
import Testing

@Suite("docs/errors.md")
struct StatusCodeTableTests {
    @Test("The committed file is what the code makes; signet explain --all --markdown writes it anew")
    func committed() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../docs/errors.md").standardizedFileURL
        #expect(try String(contentsOf: file, encoding: .utf8) == StatusCodeTable.markdown)
    }

    @Test("Every code of the table has a line with its number, name and text")
    func lines() {
        #expect(StatusCodeTable.codes.count > 100)
        for code in StatusCodeTable.codes {
            #expect(StatusCodeTable.markdown.contains("| `\(code)` | \(Int32(bitPattern: code.rawValue)) | `"))
        }
    }
}

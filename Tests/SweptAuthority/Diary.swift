import Foundation

/// What was acknowledged, written outside of the authority's directory before the next step begins: what has to be
/// there after every restart.
struct Diary {
    struct Line {
        /// Place of the step in the scenario.
        let index: Int
        let step: Step
        /// What ``Scene/perform(_:)`` gave.
        let detail: String
    }

    /// Up to where audit chain and intents were examined: the sequence number of the one, the number of the other.
    typealias Examined = (entry: Int64, intent: Int64)

    private let path: String
    private(set) var lines: [Line] = []

    init(path: String) throws {
        self.path = path
        guard FileManager.default.fileExists(atPath: path) else { return }
        self.lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard parts.count == 3, let index = Int(parts[0]), let step = Step(rawValue: String(parts[1])) else {
                throw SceneError("the diary has the line \(line)")
            }
            return Line(index: index, step: step, detail: String(parts[2]))
        }
    }

    var examined: Examined {
        // `try?`: at the first time there is none.
        let text = (try? String(contentsOfFile: self.path + ".examined", encoding: .utf8)) ?? ""
        let numbers = text.split(separator: " ").compactMap { Int64($0) }
        return numbers.count == 2 ? (numbers[0], numbers[1]) : (0, 0)
    }

    func noteExamined(_ examined: Examined) throws {
        try "\(examined.entry) \(examined.intent)".write(
            toFile: self.path + ".examined", atomically: true, encoding: .utf8)
    }

    /// The first step that was not acknowledged.
    var nextIndex: Int { (self.lines.last?.index ?? -1) + 1 }

    func details(of step: Step) -> [String] { self.lines.filter { $0.step == step }.map(\.detail) }

    mutating func note(_ index: Int, _ detail: String) throws {
        let line = Line(index: index, step: Step.scenario[index], detail: detail)
        guard let file = fopen(self.path, "a") else { throw SceneError("the diary cannot be written") }
        defer { fclose(file) }
        fputs("\(line.index)\t\(line.step.rawValue)\t\(line.detail)\n", file)
        self.lines.append(line)
    }
}

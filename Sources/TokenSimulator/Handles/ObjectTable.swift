/// The object handles of one card, as the program knows them, and those of the module inside.
///
/// Until handles are renumbered both are the same and nothing is kept.
struct ObjectTable: Sendable {
    /// How handles are numbered.
    enum Numbering: String, Sendable, CaseIterable {
        /// As the module inside does, until the card is taken out and put back.
        case same
        /// In the order in which the program meets the objects.
        case own
    }

    private var numbering: Numbering
    private var innerHandles: [UInt: UInt] = [:]
    private var outerHandles: [UInt: UInt] = [:]
    /// The highest number ever given to the program.
    private var highest: UInt = 0

    init(numbering: Numbering) {
        self.numbering = numbering
    }

    /// The handle of the module inside; `nil` for one that the program should not have.
    func inner(_ outer: UInt) -> UInt? {
        self.numbering == .same ? outer : self.innerHandles[outer]
    }

    /// The handle for the program.
    mutating func outer(_ inner: UInt) -> UInt {
        if self.numbering == .same {
            self.highest = max(self.highest, inner)
            return inner
        }
        if let known = self.outerHandles[inner] { return known }
        self.highest += 1
        self.bind(self.highest, to: inner)
        return self.highest
    }

    /// Makes a number of the program stand for an object.
    mutating func bind(_ outer: UInt, to inner: UInt) {
        self.outerHandles[inner] = outer
        self.innerHandles[outer] = inner
    }

    mutating func remove(inner: UInt) {
        guard let outer = self.outerHandles.removeValue(forKey: inner) else { return }
        self.innerHandles[outer] = nil
    }

    /// Makes all handles invalid that the program has. Numbers are not used again, except by ``bind(_:to:)``.
    mutating func renumber() {
        self.numbering = .own
        self.innerHandles = [:]
        self.outerHandles = [:]
    }
}

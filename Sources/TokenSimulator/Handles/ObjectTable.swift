/// The object handles of one card, as the program knows them, and those of the module inside.
///
/// Until handles are renumbered both are the same and nothing is kept, but for handles that a fault has misnamed.
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
        self.innerHandles[outer] ?? (self.numbering == .same ? outer : nil)
    }

    /// The handle for the program.
    mutating func outer(_ inner: UInt) -> UInt {
        if let known = self.outerHandles[inner] { return known }
        if self.numbering == .same {
            self.highest = max(self.highest, inner)
            return inner
        }
        self.highest += 1
        self.bind(self.highest, to: inner)
        return self.highest
    }

    /// Makes a number of the program stand for an object.
    mutating func bind(_ outer: UInt, to inner: UInt) {
        self.outerHandles[inner] = outer
        self.innerHandles[outer] = inner
    }

    /// Makes a number that the program has stand for another object, and gives the object that it stood for a new one.
    mutating func misname(_ outer: UInt, as other: UInt) {
        let former = self.inner(outer)
        self.innerHandles[outer] = other
        guard let former else { return }
        // Beyond what modules count to, where their numbers are shown as they are.
        self.highest = self.numbering == .same ? max(self.highest, 1 << 30) + 1 : self.highest + 1
        self.bind(self.highest, to: former)
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

/// A section of a profile that is read and shown by one table of its fields, in the order of the documentation.
protocol ProfileTable {
    init()
    static var table: [SectionField<Self>] { get }
    /// Reports values that contradict each other.
    func check(_ section: ProfileSection)
}

extension ProfileTable {
    init(reading section: ProfileSection) {
        self.init()
        let table = Self.table
        section.allow(table.map(\.name))
        for field in table { field.read(section, &self) }
        self.check(section)
    }

    /// - Parameter path: of the section.
    func append(to list: inout [ProfileField], path: String) {
        for field in Self.table { field.append(self, "\(path).\(field.name)", &list) }
    }

    func check(_ section: ProfileSection) {}
}

/// A field of a section: its name in the file, where its value is kept, and how it is written.
struct SectionField<Section> {
    let name: String
    let read: (ProfileSection, inout Section) -> Void
    /// The text is the path of the field.
    let append: (Section, String, inout [ProfileField]) -> Void

    init<Value>(
        _ name: String, _ path: WritableKeyPath<Section, ProfileValue<Value>>, _ form: FieldForm<Value>
    ) {
        self.name = name
        self.read = { $1[keyPath: path] = $0.value(name, form.read) }
        self.append = { $2.append(ProfileField($1, $0[keyPath: path], form)) }
    }

    /// A section in the section.
    init<Inner: ProfileTable>(_ name: String, _ path: WritableKeyPath<Section, Inner>) {
        self.name = name
        self.read = { $1[keyPath: path] = Inner(reading: $0.section(name)) }
        self.append = { $0[keyPath: path].append(to: &$2, path: $1) }
    }

    /// A section with values by key pair algorithm; one that is absent is unknown and not shown.
    init<Value>(
        _ name: String, algorithms path: WritableKeyPath<Section, [KeyPairAlgorithm: ProfileValue<Value>]>,
        _ form: FieldForm<Value>
    ) {
        self.name = name
        self.read = { $1[keyPath: path] = $0.section(name).algorithms(form.read) }
        self.append = { section, place, list in
            for (algorithm, value) in section[keyPath: path].sorted(by: { $0.key.precedes($1.key) }) {
                list.append(ProfileField("\(place).\(algorithm)", value, form))
            }
        }
    }

    /// A section with a value for each case of an enumeration.
    init<Choice: RawRepresentable<String> & CaseIterable & Hashable, Value>(
        _ name: String, choices path: WritableKeyPath<Section, [Choice: ProfileValue<Value>]>, _ form: FieldForm<Value>
    ) {
        self.name = name
        self.read = { $1[keyPath: path] = $0.section(name).choices(form.read) }
        self.append = { section, place, list in
            for choice in Choice.allCases {
                list.append(
                    ProfileField("\(place).\(choice.rawValue)", section[keyPath: path][choice] ?? .unknown, form))
            }
        }
    }
}

extension KeyPairAlgorithm {
    /// RSA by size, then the curves.
    fileprivate func precedes(_ other: KeyPairAlgorithm) -> Bool {
        switch (self, other) {
        case (.rsa(let one), .rsa(let another)): one < another
        case (.rsa, _): true
        case (_, .rsa): false
        default: self.description < other.description
        }
    }
}

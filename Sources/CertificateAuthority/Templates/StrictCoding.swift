extension Decoder {
    /// A mistyped setting must not be ignored: it would be taken for its default.
    ///
    /// - Throws: `DecodingError.dataCorrupted` naming the key.
    package func refuseUnknownKeys(_ known: [some CodingKey]) throws {
        let names = Set(known.map(\.stringValue))
        let found = try self.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
        guard let stranger = found.filter({ !names.contains($0) }).sorted().first else { return }
        throw DecodingError.dataCorrupted(
            .init(codingPath: self.codingPath, debugDescription: "there is no setting \"\(stranger)\""))
    }
}

private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) {
        nil
    }
}

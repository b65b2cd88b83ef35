internal import DeviceProfiles

/// How many objects of each kind are on a card.
struct Census: Hashable, Sendable {
    private(set) var counts: [ObjectDescriptor: Int] = [:]

    init() {}

    mutating func add(_ descriptor: ObjectDescriptor, count: Int = 1) {
        self.counts[descriptor, default: 0] += count
    }

    var objects: Int {
        self.counts.values.reduce(0, +)
    }

    func count(where isCounted: (ObjectDescriptor) -> Bool) -> Int {
        self.counts.reduce(0) { $0 + (isCounted($1.key) ? $1.value : 0) }
    }

    /// Bytes in use. An object that was there before and whose cost is unknown counts as nothing.
    func bytes(by capacity: DeviceProfile.Capacity) -> Int {
        self.counts.reduce(0) { $0 + ($1.key.cost(by: capacity) ?? 0) * $1.value }
    }

    /// What is seen without login, from this census, with what is not seen from an earlier one.
    func completed(from earlier: Census) -> Census {
        var whole = Census()
        for (descriptor, count) in self.counts where !descriptor.isPrivate { whole.add(descriptor, count: count) }
        for (descriptor, count) in earlier.counts where descriptor.isPrivate { whole.add(descriptor, count: count) }
        return whole
    }
}

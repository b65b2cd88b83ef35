internal import DeviceProfiles
internal import Diagnostics

/// Judges whether objects fit on a card by its profile, and says what the card answers when they do not.
struct CardLimits {
    /// What the caller was doing: full devices answer by function.
    enum Operation {
        case keyGeneration, create, setAttribute
    }

    let capacity: DeviceProfile.Capacity

    /// True when the profile bounds anything.
    var areAny: Bool {
        if self.capacity.usableBytes != nil { return true }
        if case .atMost? = self.capacity.maximumObjects.value { return true }
        if self.capacity.maximumPairs.values.contains(where: { $0.value != nil }) { return true }
        return DeviceProfile.Capacity.Directory.allCases.contains {
            if case .atMost? = self.capacity.entries(in: $0) { true } else { false }
        }
    }

    /// The answer to one more object on a card, or `nil` when it fits. An object of unknown cost does not fit.
    ///
    /// - Parameters:
    ///   - growth: bytes that are wanted beside what the cost model counts.
    ///   - replaced: the object whose place the new one takes.
    func refusal(
        of added: [ObjectDescriptor], growingBy growth: Int = 0, on census: Census,
        replacing replaced: ObjectDescriptor? = nil,
        operation: Operation
    ) -> ReturnValue? {
        let full = self.capacity.full
        if replaced == nil {
            if let limit = self.capacity.maximumObjects.value, !limit.allows(census.objects + added.count) {
                return full.objects.value ?? .deviceMemory
            }
            if self.isDirectoryFull(adding: added, to: census) { return full.directory.value ?? .deviceMemory }
        }
        guard let usable = self.capacity.usableBytes else { return nil }
        let costs = added.compactMap { $0.cost(by: self.capacity) }
        let free = usable - census.bytes(by: self.capacity) + (replaced?.cost(by: self.capacity) ?? 0)
        let fits = costs.count == added.count && costs.reduce(growth, +) <= free
        return fits ? nil : self.answer(to: operation)
    }

    /// The answer to one more key pair.
    func pairRefusal(_ halves: [ObjectDescriptor], on census: Census) -> ReturnValue? {
        if let refusal = self.refusal(of: halves, on: census, operation: .keyGeneration) { return refusal }
        return self.isPairLimitReached(by: halves, on: census) ? self.answer(to: .keyGeneration) : nil
    }

    /// True when the profile has a bound of its own for pairs of the algorithm, and it is reached.
    func isPairLimitReached(by halves: [ObjectDescriptor], on census: Census) -> Bool {
        guard let key = halves.first(where: { $0.kind == .privateKey }), let algorithm = key.algorithm,
            let limit = self.capacity.maximumPairs[algorithm]?.value
        else { return false }
        let present = census.count { $0.kind == .privateKey && $0.algorithm == algorithm }
        return !limit.allows(present + 1)
    }

    private func isDirectoryFull(adding added: [ObjectDescriptor], to census: Census) -> Bool {
        added.contains { object in
            guard let directory = object.directory, let limit = self.capacity.entries(in: directory) else {
                return false
            }
            let present = census.count { $0.directory == directory }
            return !limit.allows(present + added.count { $0.directory == directory })
        }
    }

    private func answer(to operation: Operation) -> ReturnValue {
        let full = self.capacity.full
        let value =
            switch operation {
            case .keyGeneration: full.keyGeneration.value
            case .create: full.create.value
            case .setAttribute: full.setAttribute.value ?? full.create.value
            }
        return value ?? .deviceMemory
    }
}

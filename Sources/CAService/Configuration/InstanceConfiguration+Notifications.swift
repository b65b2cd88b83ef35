extension InstanceConfiguration {
    /// The program that is told what expires.
    package struct Notifications: Sendable, Equatable {
        package static let defaultSteps = [30, 14, 7, 1]

        package var program: String
        package var deadlineSeconds: Int
        /// So many days before the end.
        package var stepsDays: [Int]
    }
}

extension InstanceConfiguration.Notifications {
    init(yaml: YAMLMapping) throws {
        self.program = try yaml.text("program")
        self.deadlineSeconds = try yaml.integer("deadline-seconds", in: 1...3600, default: 60)
        let steps = try yaml.optionalList("steps-days")?.map { text in
            guard let days = Int(text), (1...3650).contains(days) else {
                throw yaml.invalid("steps-days", "a list of days from 1 to 3650 is expected")
            }
            return days
        }
        self.stepsDays = steps ?? Self.defaultSteps
        try yaml.finish()
    }
}

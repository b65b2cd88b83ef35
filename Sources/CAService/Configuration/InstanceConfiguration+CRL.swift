extension InstanceConfiguration {
    /// How the instance revokes and publishes. Addresses and directories may hold the tokens of `PublicationURL`.
    package struct CRLPolicy: Sendable, Equatable {
        package var periodDays: Int
        /// `nil`: computed from the period (docs/revocation.md).
        package var overlapHours: Int?
        /// `nil`: no delta CRLs.
        package var deltaPeriodHours: Int?
        package var deltaOverlapHours: Int?
        package var clockSkewMinutes: Int
        package var shards: Int
        package var keepExpired: Bool
        /// What stands in issued certificates; `nil`: the publication address.
        package var urls: [String]?
        /// Where delta CRLs are; `nil`: the publication address.
        package var freshestURLs: [String]?
        package var freshestInCertificates: Bool
        /// What stands in the CRL itself as its place.
        package var selfURLs: [String]
        package var issuingDistributionPoint: Bool
        /// Further directories or file patterns that lists are written to, beside `publish/`.
        package var publishTo: [String]
        package var hook: Hook?
        /// `%1`; `nil`: the host of the publication address.
        package var serverName: String?
        /// `%6`.
        package var configurationDN: String?

        /// A program that is given each new list.
        package struct Hook: Sendable, Equatable {
            package var program: String
            package var deadlineSeconds: Int
        }

        package init(periodDays: Int) {
            self.periodDays = periodDays
            self.clockSkewMinutes = 10
            self.shards = 0
            self.keepExpired = false
            self.freshestInCertificates = true
            self.selfURLs = []
            self.issuingDistributionPoint = false
            self.publishTo = []
        }
    }
}

extension InstanceConfiguration.CRLPolicy {
    init(yaml: YAMLMapping?) throws {
        self.init(periodDays: 7)
        guard let yaml else { return }
        self.periodDays = try yaml.integer("period-days", in: 1...366, default: 7)
        self.overlapHours = try yaml.optionalInteger("overlap-hours", in: 0...8784)
        self.deltaPeriodHours = try yaml.optionalInteger("delta-period-hours", in: 1...8784)
        self.deltaOverlapHours = try yaml.optionalInteger("delta-overlap-hours", in: 0...8784)
        self.clockSkewMinutes = try yaml.integer("clock-skew-minutes", in: 0...1440, default: 10)
        self.shards = try yaml.integer("shards", in: 0...10_000, default: 0)
        self.keepExpired = try yaml.boolean("keep-expired", default: false)
        self.urls = try yaml.optionalList("urls")
        self.freshestURLs = try yaml.optionalList("freshest-urls")
        self.freshestInCertificates = try yaml.boolean("freshest-in-certificates", default: true)
        self.selfURLs = try yaml.optionalList("self-urls") ?? []
        self.issuingDistributionPoint = try yaml.boolean("issuing-distribution-point", default: false)
        self.publishTo = try yaml.optionalList("publish-to") ?? []
        self.hook = try yaml.optionalMapping("hook").map { hook in
            let made = Hook(
                program: try hook.text("program"),
                deadlineSeconds: try hook.integer("deadline-seconds", in: 1...3600, default: 60))
            try hook.finish()
            return made
        }
        self.serverName = try yaml.optionalText("server-name")
        self.configurationDN = try yaml.optionalText("configuration-dn")
        if let delta = self.deltaPeriodHours, delta >= self.periodDays * 24 {
            throw yaml.invalid("delta-period-hours", "it is not shorter than period-days")
        }
        let shardedURLs = (self.urls ?? ["%12"]) + (self.deltaPeriodHours == nil ? [] : self.freshestURLs ?? ["%12"])
        if self.shards > 0, let without = shardedURLs.first(where: { !$0.contains("%12") }) {
            throw yaml.invalid("shards", "the address \"\(without)\" has no %12, so that all shards would be one file")
        }
        try yaml.finish()
    }
}

package import CertificateAuthority
import Diagnostics
import Foundation
import KeyArchival
import KeyProvider
import PKIMessages

/// Where the CA's keys are to be from now on.
package struct TokenMigrationOrder: Sendable {
    /// Of the token in signet.yaml.
    package var name: String
    package var token: TokenConfiguration
    /// New keys on the token, also where the keys in place could be copied.
    package var wantsNewKey: Bool
    /// Writes a subordinate CA's request for the certificate of its new key, DER; `nil`: nobody has said where.
    package var saveRequest: (@Sendable ([UInt8]) throws -> Void)?

    package init(
        name: String, token: TokenConfiguration, wantsNewKey: Bool = false,
        saveRequest: (@Sendable ([UInt8]) throws -> Void)? = nil
    ) {
        self.name = name
        self.token = token
        self.wantsNewKey = wantsNewKey
        self.saveRequest = saveRequest
    }
}

/// Moves a CA from one token to another, step by step: its keys are copied wrapped, where they were made with that permission;
/// else the CA gets a new key there, and the old token stays for the lists of the old one.
///
/// What was done is read from the instance and the tokens each time, so that whoever was interrupted begins again with the
/// step that is next, and every step is proven before the one after it.
package struct TokenMigration: Sendable {
    package enum Step: String, Sendable, CaseIterable {
        case describe
        case copyKeys = "copy-keys"
        case use
        case newKey = "new-key"
        case certificate
        case links
        case exchangeKey = "exchange-key"
        case lists
        case tlsKey = "tls-key"
        case archives
        case backUp = "back-up"
        case oldToken = "old-token"
    }

    package enum State: Sendable, Equatable {
        case done(String)
        case notNeeded(String)
        /// Can be carried out now.
        case due(String)
        /// Somebody has to do something else first: what.
        case waiting(String)
        /// After a step that is not done.
        case later

        package var isSettled: Bool {
            switch self {
            case .done, .notNeeded: true
            case .due, .waiting, .later: false
            }
        }
    }

    package struct Status: Sendable {
        package let step: Step
        package let state: State
    }

    /// What is noted when the CA begins to use the token, so that later steps can tell what came afterwards.
    struct Beginning: Codable {
        static let setting = "move.token"

        var token: String
        /// The highest at that time.
        var crlNumber: UInt64
    }

    private(set) var instance: Instance
    let order: TokenMigrationOrder
    let who: Principal

    /// - Throws: `RequestError` without the role of administrator; ``ServiceError`` with code `exists` when signet.yaml describes
    ///   another token by that name.
    package init(_ order: TokenMigrationOrder, of instance: Instance, by who: Principal) throws {
        try who.mustBeAllowed(.configure, to: "move the CA to another token")
        if let described = instance.configuration.tokens[order.name], described != order.token {
            throw ServiceError.describedOtherwise(order.name)
        }
        self.instance = instance
        self.order = order
        self.who = who
    }

    mutating func reread() throws { self.instance = try self.instance.rereadingConfiguration() }

    /// Every step, in order. The first one that is not settled is the next.
    package func status() async throws -> [Status] {
        let place = try await MigrationPlace(self)
        var all: [Status] = []
        for step in Step.allCases {
            let isReached = all.allSatisfy { $0.state.isSettled }
            all.append(Status(step: step, state: isReached ? try await self.state(of: step, place) : .later))
        }
        return all
    }

    private func state(of step: Step, _ place: MigrationPlace) async throws -> State {
        let name = self.order.name
        switch step {
        case .describe:
            return self.instance.configuration.tokens[name] == nil
                ? .due("describe the token as \(name) in signet.yaml")
                : .done("\(place.token.identification) is \(name)")
        case .copyKeys: return try await self.copies(place)
        case .use:
            return self.instance.configuration.signingToken == name && place.misplaced.isEmpty
                ? .done("the CA signs on \(name)") : .due("prove the keys on \(name), and sign there from now on")
        case .newKey: return try await self.newKey(place)
        case .certificate:
            return place.hasNewest
                ? .done("the CA's newest certificate has a key on \(name)")
                : .waiting("have the parent sign the request, then: signet ca install --instance DIR CERTIFICATE")
        case .links:
            guard self.instance.configuration.type == .root else {
                return .notNeeded("the parent ties the keys together")
            }
            let missing = try await self.instance.missingLinkCount()
            return missing == 0
                ? .done("no link between keys is missing") : .due("certify \(missing) links between keys")
        case .exchangeKey: return try await self.exchangeKey(place)
        case .lists: return try await self.lists(place)
        case .tlsKey:
            guard case .token(let used)? = self.instance.configuration.web.tls?.key, used != name else {
                return .notNeeded("the service's TLS key is on no other token")
            }
            return .waiting(
                "the service's TLS key is on \(used): signet web certificate --instance DIR --key-token \(name) ...")
        case .archives: return try await self.archives()
        case .backUp:
            return try await self.instance.isBackupDue()
                ? .waiting("back the CA up: signet backup create --instance DIR ...")
                : .done("a backup knows where the keys are now")
        case .oldToken: return .done(place.remainder(now: self.instance.surroundings.now()))
        }
    }

    private func copies(_ place: MigrationPlace) async throws -> State {
        guard !self.order.wantsNewKey else { return .notNeeded("a new key is wanted") }
        let missing = place.keys.filter { place.pair(of: $0) == nil }
        guard !missing.isEmpty else { return .done("\(place.keys.count) keys are on \(self.order.name)") }
        // Once new keys are made there, those before them stay where they are.
        guard !place.hasNewest, place.pending == nil else { return .notNeeded("the CA has a new key") }
        for record in missing {
            guard let locator = record.locator else { continue }
            // `try?`: a key whose token is away is not copied.
            let pair = try? await self.instance.token(holding: locator).keyPair(locator)
            guard pair?.attributes.extractable == true else {
                return .notNeeded("key \(record.keyIndex) may not leave its token, so that there will be a new one")
            }
        }
        return .due("copy \(missing.count) keys to \(self.order.name), encrypted from token to token")
    }

    private func newKey(_ place: MigrationPlace) async throws -> State {
        if place.hasNewest { return .notNeeded("the CA's newest key is on \(self.order.name)") }
        if let pending = place.pending, pending.isRequested {
            guard let locator = pending.locator, place.pairs[locator.publicKeySHA256] != nil else {
                return .waiting("another renewal waits for its answer: signet ca install, or signet ca renew --abandon")
            }
            return .done("a new key is on \(self.order.name), and its certificate is asked for")
        }
        guard self.instance.configuration.type == .root || self.order.saveRequest != nil else {
            return .waiting("say where the request for the parent is written: --request FILE")
        }
        return .due("make a new CA key on \(self.order.name)")
    }

    private func exchangeKey(_ place: MigrationPlace) async throws -> State {
        let name = self.order.name
        let (agents, certificates) = try await self.instance.storage.read {
            (try $0.keyRecoveryAgents(), try $0.exchangeCertificates())
        }
        let isUsed = self.instance.configuration.exchangeToken == name
        guard isUsed, !agents.isEmpty else {
            return isUsed
                ? .notNeeded("nobody archives keys; one will be made on \(name)")
                : .due("make exchange keys on \(name) from now on")
        }
        guard let newest = certificates.first, place.pairs[newest.locator.publicKeySHA256] != nil else {
            return .due("make an exchange key on \(name)")
        }
        return .done("requests are encrypted to a key on \(name)")
    }

    private func lists(_ place: MigrationPlace) async throws -> State {
        guard let beginning = try await self.beginning() else {
            return .notNeeded("the CA has signed on \(self.order.name) all along")
        }
        let now = self.instance.surroundings.now()
        let keys = place.keys.filter { $0.index == place.newest?.index || (place.ends[$0.keyIndex] ?? now) > now }
        let old = try await self.instance.storage.read { db in
            try keys.filter { try db.latestCRL(caKeyIndex: $0.keyIndex).map(\.number) ?? 0 <= beginning.crlNumber }
        }
        return old.isEmpty
            ? .done("every key has signed a CRL since") : .due("publish a CRL of \(old.count) keys, as the proof")
    }

    func beginning() async throws -> Beginning? {
        let text = try await self.instance.storage.read { try $0.setting(Beginning.setting) }
        guard let text else { return nil }
        let beginning = try JSONDecoder().decode(Beginning.self, from: Data(text.utf8))
        return beginning.token == self.order.name ? beginning : nil
    }

    private func archives() async throws -> State {
        guard try await self.instance.storage.read({ try $0.archivedKeyCount() }) > 0 else {
            return .notNeeded("no key is archived")
        }
        let outdated = try await self.instance.authority(for: .records).keyRewrap.outdated()
        return outdated == 0
            ? .done("archived keys are encrypted to the agents of today")
            : .waiting("\(outdated) archived keys are encrypted to other agents: signet key rewrap --token-file CARD")
    }
}

extension ServiceError {
    fileprivate static func describedOtherwise(_ name: String) -> ServiceError {
        ServiceError(
            code: .exists, headline: "signet.yaml describes another token as \"\(name)\".", hresult: .fileExists,
            advice: ["Give the new token another name, or the description that signet.yaml has."])
    }
}

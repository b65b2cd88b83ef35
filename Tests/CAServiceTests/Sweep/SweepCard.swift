import CAService
import Foundation
import KeyProvider
import PKCS11
import SimulatorControl
import TestSupport

/// A simulated card on which any call can be made to fail while this process works with it.
struct SweepCard: Sendable {
    let simulated: SimulatedCard
    /// The card for an instance or a recovery agent.
    let configuration: TokenConfiguration
    private let control: SimulatorControl
    /// Past the simulator: what is really there.
    private let bare: Token
    /// Keeps the simulator initialised.
    private let module: Module

    init(label: String) async throws {
        let card = try await SimulatedCard(
            profile: nil, rule: ["handles: same"], settings: ["control: control"], label: label)
        self.simulated = card
        self.control = SimulatorControl(path: card.directory.path("control"))
        self.bare = try await card.token.openLoggedIn(maximumSessions: 1)
        let pin = try card.directory.write("pin", Array(card.token.userPIN.utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: pin)
        self.configuration = TokenConfiguration(
            module: card.modulePath, moduleArguments: card.initializationString, token: "pkcs11:token=\(label)",
            profile: "softhsm2", pin: .file(pin))
        self.module = try Module(path: card.modulePath, initializationString: card.initializationString)
    }

    /// Token objects that are there.
    func objects() async throws -> Int {
        var onToken = AttributeTemplate()
        onToken[.token] = true
        return try await self.bare.withSession { [onToken] in try $0.findObjects(onToken).count }
    }

    /// Removes what is there of a class, or everything.
    func removeObjects(_ objectClass: ObjectClass?) async throws {
        var template = AttributeTemplate()
        template[.token] = true
        if let objectClass { template[.objectClass] = objectClass }
        try await self.bare.withSession(.readWrite) { [template] session in
            for object in try session.findObjects(template) { try session.destroyObject(object) }
        }
    }

    /// Orders a fault for a call from now on.
    func order(_ fault: String) throws { try self.control.send(.fail(fault)) }

    /// Ends all faults, and puts the card back.
    ///
    /// - Returns: whether the fault that was ordered was met.
    func recover(isOut: Bool) throws -> Bool {
        let isPending = try self.control.send(.status).contains { $0.hasPrefix("fail ") }
        try self.control.send(.clear)
        if isOut, !isPending { try self.control.send(.insert(slot: nil)) }
        return !isPending
    }

    func close() async { await self.bare.close() }
}

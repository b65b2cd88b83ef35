internal import Diagnostics
internal import Foundation
package import PKCS11
internal import Synchronization

/// A token without hardware, made for one test: a module file, what it needs to initialise, and its PINs.
///
/// Each one has a copy of its module's file, because a module's state is per mapped file and process: tests that run
/// in parallel would otherwise share, and finalise, one another's module.
package final class SoftwareToken: Sendable {
    /// Which software makes the token.
    package enum Kind: String, Sendable, CaseIterable {
        /// SoftHSM, profile `softhsm2`.
        case softHSM = "softhsm2"
        /// The software token of NSS, profile `nss-softokn`.
        case nss = "nss-softokn"
        /// SoftHSM behind the token simulator, which limits nothing and numbers handles on its own.
        case simulatedSoftHSM = "simulated-softhsm2"
        /// NSS behind the simulator.
        case simulatedNSS = "simulated-nss-softokn"

        /// The name of the device profile.
        package var profileName: String { self.isNSS ? "nss-softokn" : "softhsm2" }
        package var isNSS: Bool { self == .nss || self == .simulatedNSS }
        fileprivate var isSimulated: Bool { self == .simulatedSoftHSM || self == .simulatedNSS }
    }

    package let kind: Kind
    package let directory: TemporaryDirectory
    /// The module's file, good for this process and for child processes.
    package let modulePath: String
    /// What `C_Initialize` takes, for modules that take it.
    package let initializationString: String?
    /// What a child process needs in its environment to load the module.
    package let environment: [String: String]
    package let label: String
    package let userPIN = "123456"
    package let securityOfficerPIN = "87654321"
    /// The module, initialised while the token exists.
    private let module: Module
    /// What the copy of a SoftHSM module needs while it exists.
    private let softHSM: SoftHSMModule?

    /// - Parameter copy: writes the module's copy to a path.
    private init(
        kind: Kind, directory: TemporaryDirectory, initializationString given: String?, label: String,
        copy: (String) throws -> SoftHSMModule?
    ) throws {
        self.kind = kind
        self.directory = directory
        self.label = label
        self.modulePath = directory.path("module-\(kind.rawValue).so")
        let initializationString: String?
        if kind.isSimulated {
            self.softHSM = try copy(directory.path("inner.so"))
            try FileManager.default.copyItem(atPath: SimulatorLibrary.path(), toPath: self.modulePath)
            let arguments = given.map { "module_arguments: \"\($0)\"\n" } ?? ""
            let settings =
                "simulate: true\nmodule: \(directory.path("inner.so"))\n\(arguments)ledger: ledger\n"
                + "tokens: [{label: \"^\(label)$\", handles: own}]\n"
            let path = try directory.write("simulator.yaml", Array(settings.utf8))
            initializationString = "simulator='\(path)'"
            // Not in the environment of this process, whose children would all have it.
            self.environment = ["SIGNET_SIMULATOR": path]
        } else {
            self.softHSM = try copy(self.modulePath)
            initializationString = given
            self.environment = [:]
        }
        self.initializationString = initializationString
        self.module = try Module(path: self.modulePath, initializationString: initializationString)
    }

    /// NSS modules stay initialised until the process ends: copies of softokn have libfreebl and libnssutil in
    /// common, and finalising one of them takes the random generator away from all.
    private static let neverFinalized = Mutex<[Module]>([])

    /// Makes a token with both PINs set and nothing on it.
    package static func make(_ kind: Kind, label: String = "signet test") async throws -> SoftwareToken {
        switch kind {
        case .softHSM, .simulatedSoftHSM: try await self.makeSoftHSM(kind, label: label)
        case .nss, .simulatedNSS: try await self.makeNSS(kind, label: label)
        }
    }

    private static func makeSoftHSM(_ kind: Kind, label: String) async throws -> SoftwareToken {
        let directory = try TemporaryDirectory()
        let tokens = directory.path("tokens")
        try FileManager.default.createDirectory(atPath: tokens, withIntermediateDirectories: false)
        let configuration = "directories.tokendir = \(tokens)\nobjectstore.backend = file\nlog.level = ERROR\n"
        let token = try SoftwareToken(kind: kind, directory: directory, initializationString: nil, label: label) {
            try SoftHSMModule(copyTo: $0, configuration: configuration)
        }
        guard let empty = try token.module.slots().first else { throw TokenFactoryError.noSlot }
        try Array(token.securityOfficerPIN.utf8).withUnsafeBytes {
            try empty.initializeToken(securityOfficerPIN: $0, label: label)
        }
        try await token.setUserPIN(securityOfficerPIN: token.securityOfficerPIN)
        return token
    }

    private static func makeNSS(_ kind: Kind, label: String) async throws -> SoftwareToken {
        let directory = try TemporaryDirectory()
        let parameters =
            "configdir='sql:\(directory.path)' certPrefix='' keyPrefix='' secmod='secmod.db' flags= "
            + "dbTokenDescription='\(label)'"
        let token = try SoftwareToken(
            kind: kind, directory: directory, initializationString: parameters, label: label
        ) { path in
            let library = URL(fileURLWithPath: "/usr/lib/x86_64-linux-gnu/libsoftokn3.so").resolvingSymlinksInPath()
            try FileManager.default.copyItem(atPath: library.path, toPath: path)
            return nil
        }
        self.neverFinalized.withLock { $0.append(token.module) }
        // A new NSS database takes the empty PIN of its security officer once.
        try await token.setUserPIN(securityOfficerPIN: "")
        return token
    }

    private func setUserPIN(securityOfficerPIN: String) async throws {
        let token = try self.open(maximumSessions: 1)
        let userPIN = self.userPIN
        try await token.withSession(.readWrite) { session in
            try Array(securityOfficerPIN.utf8).withUnsafeBytes { try session.login(.securityOfficer, pin: $0) }
            try Array(userPIN.utf8).withUnsafeBytes { try session.initializeUserPIN($0) }
            try session.logout()
        }
        await token.close()
    }

    /// The slot that has the token.
    package func slot() throws -> Slot {
        for slot in try self.module.slots() where try slot.tokenInfo().identification.label == self.label {
            return slot
        }
        throw TokenFactoryError.noSlot
    }

    /// The token, not logged in.
    package func open(maximumSessions: Int = 2) throws -> Token {
        try Token(slot: self.slot(), maximumSessions: maximumSessions)
    }

    /// The token with its user logged in.
    package func openLoggedIn(maximumSessions: Int = 2) async throws -> Token {
        let token = try self.open(maximumSessions: maximumSessions)
        let pin = Array(self.userPIN.utf8)
        try await token.login(.user) { use in pin.withUnsafeBytes { use($0) } }
        return token
    }
}

/// The token factory could not make its token.
package enum TokenFactoryError: Error {
    case noSlot
    /// SoftHSM's module is not one that is known: it does not contain this text.
    case notInModule(String)
}

/// Makes a SoftHSM token for the time of `body`.
package func withSoftHSM<R>(
    label: String = "signet test", _ body: (SoftwareToken) async throws -> R
) async throws -> R {
    try await body(SoftwareToken.make(.softHSM, label: label))
}

/// Makes an NSS token for the time of `body`.
package func withNSS<R>(
    label: String = "signet test", _ body: (SoftwareToken) async throws -> R
) async throws -> R {
    try await body(SoftwareToken.make(.nss, label: label))
}

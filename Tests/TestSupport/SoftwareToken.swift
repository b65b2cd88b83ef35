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
    /// What a process needs in its environment when it initialises the module.
    package let environment: [String: String]
    package let label: String
    package let userPIN = "123456"
    package let securityOfficerPIN = "87654321"
    /// Keeps the module initialised while the token exists, so that whoever loads it later needs no environment.
    private let module: Module

    private init(
        kind: Kind, directory: TemporaryDirectory, library: String, initializationString given: String?,
        environment: [String: String], label: String
    ) throws {
        self.kind = kind
        self.directory = directory
        self.label = label
        self.modulePath = directory.path("module-\(kind.rawValue).so")
        let file = URL(fileURLWithPath: library).resolvingSymlinksInPath()
        let initializationString: String?
        if kind.isSimulated {
            try FileManager.default.copyItem(atPath: file.path, toPath: directory.path("inner.so"))
            try FileManager.default.copyItem(atPath: SimulatorLibrary.path(), toPath: self.modulePath)
            let arguments = given.map { "module_arguments: \"\($0)\"\n" } ?? ""
            let settings =
                "simulate: true\nmodule: \(directory.path("inner.so"))\n\(arguments)ledger: ledger\n"
                + "tokens: [{label: \"^\(label)$\", handles: own}]\n"
            let path = try directory.write("simulator.yaml", Array(settings.utf8))
            initializationString = "simulator='\(path)'"
            // Not in the environment of this process, whose children would all have it.
            self.environment = environment.merging(["SIGNET_SIMULATOR": path]) { $1 }
        } else {
            try FileManager.default.copyItem(atPath: file.path, toPath: self.modulePath)
            initializationString = given
            self.environment = environment
        }
        self.initializationString = initializationString
        let path = self.modulePath
        self.module = try SoftwareToken.initializing(with: environment) {
            try Module(path: path, initializationString: initializationString)
        }
    }

    /// Runs `body` with `environment` set in this process, one at a time: SoftHSM reads `SOFTHSM2_CONF` when it
    /// initialises and has no other way to be told. The variable is replaced, never removed, since `setenv` moves the
    /// environment only when it adds a name.
    package static func initializing<R>(
        with environment: [String: String], _ body: () throws -> sending R
    ) throws -> R {
        try self.environmentLock.withLock { _ in
            for (name, value) in environment { setenv(name, value, 1) }
            return try body()
        }
    }

    private static let environmentLock = Mutex<Void>(())

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
        let path = try directory.write("softhsm2.conf", Array(configuration.utf8))
        let token = try SoftwareToken(
            kind: kind, directory: directory, library: "/usr/lib/softhsm/libsofthsm2.so",
            initializationString: nil, environment: ["SOFTHSM2_CONF": path], label: label)
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
            kind: kind, directory: directory, library: "/usr/lib/x86_64-linux-gnu/libsoftokn3.so",
            initializationString: parameters, environment: [:], label: label)
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

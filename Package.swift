// swift-tools-version: 6.2
import PackageDescription

/// The language rules every target is held to: see `docs/architecture.md`. A newer compiler may warn of what this one
/// does not: `SIGNET_WARNINGS=allowed` builds all the same.
let settings: [SwiftSetting] = [
    .treatAllWarnings(as: Context.environment["SIGNET_WARNINGS"] == "allowed" ? .warning : .error),
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["TestSupport"], exclude: exclude, swiftSettings: settings)
}

let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let hummingbird: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "Hummingbird", package: "hummingbird"),
    .product(name: "HummingbirdTLS", package: "hummingbird"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
]

/// `libsignet-token-simulator.so` shows the functions that give out its tables and nothing else, so that it can be
/// loaded into a process that has Swift modules of the same names. It stays mapped after `dlclose`, because a program
/// may forget `C_Finalize`, which ends the thread of the control socket.
let simulatorExports = LinkerSetting.unsafeFlags([
    "-Xlinker", "-z", "-Xlinker", "nodelete",
    "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/SignetTokenSimulator/exports.map",
])

let package = Package(
    name: "signet",
    products: [
        .executable(name: "signet", targets: ["signet"]),
        .executable(name: "signetd", targets: ["signetd"]),
        .library(name: "signet-token-simulator", type: .dynamic, targets: ["SignetTokenSimulator"]),
        .library(name: "SignetService", targets: ["CAService"]),
        .library(
            name: "SignetTokens",
            targets: ["PKCS11", "DeviceProfiles", "KeyProvider", "PKCS11KeyProvider", "SecretMemory"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C boundaries
        .systemLibrary(name: "CPKCS11"),
        .systemLibrary(name: "CFileSystem"),
        .systemLibrary(name: "CProcess"),
        .systemLibrary(name: "CLibCrypto", providers: [.apt(["libssl-dev"])]),

        // Tokens: no heavy package below this line's end, so that this part builds in seconds.
        library("Diagnostics", []),
        library("SecretMemory", []),
        library("PKCS11", ["CPKCS11", "Diagnostics"]),
        library("DeviceProfiles", ["Diagnostics", yams]),
        library("KeyProvider", ["Diagnostics", "SecretMemory"]),
        library(
            "PKCS11KeyProvider",
            ["KeyProvider", "PKCS11", "DeviceProfiles", "Diagnostics", "SecretMemory", "CLibCrypto"]),
        library(
            "TokenDoctor",
            ["PKCS11KeyProvider", "KeyProvider", "PKCS11", "DeviceProfiles", "Diagnostics", "CLibCrypto", yams]),
        library("TokenSimulator", ["CPKCS11", "DeviceProfiles", "Diagnostics"]),
        library("SimulatorControl", []),
        .target(
            name: "SignetTokenSimulator", dependencies: ["TokenSimulator", "CPKCS11"], exclude: ["exports.map"],
            swiftSettings: settings, linkerSettings: [simulatorExports]),

        // The certification authority
        library("PKIMessages", ["Diagnostics", "SecretMemory", "CLibCrypto", asn1, x509, crypto]),
        library("MessageDescription", ["PKIMessages", "SecretMemory", "Diagnostics", asn1, x509]),
        library(
            "CertificateAuthority", ["PKIMessages", "KeyProvider", "Diagnostics", "CFileSystem", asn1, x509, crypto]),
        library(
            "KeyArchival",
            ["CertificateAuthority", "PKIMessages", "KeyProvider", "Diagnostics", "SecretMemory", asn1, x509, crypto]),
        library("SQLiteStorage", ["CertificateAuthority", "KeyProvider", "Diagnostics", grdb, sqlite]),

        library("BackupSets", ["PKIMessages", "SecretMemory", "Diagnostics", x509, crypto]),

        // Composition and entry points
        library(
            "CAService",
            [
                "Diagnostics", "SecretMemory", "PKCS11", "DeviceProfiles", "KeyProvider", "PKCS11KeyProvider",
                "TokenDoctor", "PKIMessages", "MessageDescription", "CertificateAuthority", "KeyArchival",
                "SQLiteStorage", "BackupSets", "CLibCrypto", "CFileSystem", "CProcess",
                asn1, x509, crypto, yams, logging,
            ]),
        library(
            "EnrollmentWeb",
            [
                "CertificateAuthority", "KeyProvider", "PKIMessages", "SecretMemory", "Diagnostics", logging, lifecycle,
            ] + hummingbird),
        .executableTarget(
            name: "signet",
            dependencies: [
                "BackupSets", "CAService", "CertificateAuthority", "DeviceProfiles", "KeyArchival", "KeyProvider",
                "MessageDescription", "PKIMessages", "PKCS11KeyProvider", "SecretMemory", "SimulatorControl",
                "TokenDoctor", "Diagnostics",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "signetd",
            dependencies: [
                "CAService", "CertificateAuthority", "EnrollmentWeb", "KeyProvider", "Diagnostics", logging, lifecycle,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),

        // Tests
        // In front of the C library's in the program that runs the tests.
        .target(name: "ThreadSafeTokenizing", path: "Tests/ThreadSafeTokenizing"),
        .target(
            name: "TestSupport", dependencies: ["PKCS11", "Diagnostics", "SecretMemory", "ThreadSafeTokenizing"],
            path: "Tests/TestSupport", swiftSettings: settings),
        tests("DiagnosticsTests", ["Diagnostics"]),
        tests("SecretMemoryTests", ["SecretMemory"]),
        tests("PKCS11Tests", ["PKCS11", "CPKCS11", "Diagnostics"]),
        tests("DeviceProfilesTests", ["DeviceProfiles", "Diagnostics"]),
        tests(
            "TokenDoctorTests",
            ["TokenDoctor", "PKCS11KeyProvider", "PKCS11", "KeyProvider", "DeviceProfiles", "Diagnostics"]),
        tests(
            "PKCS11KeyProviderTests",
            [
                "PKCS11KeyProvider", "PKCS11", "KeyProvider", "DeviceProfiles", "SimulatorControl", "Diagnostics",
                "SecretMemory",
            ]),
        tests(
            "TokenSimulatorTests",
            ["TokenSimulator", "SimulatorControl", "CPKCS11", "DeviceProfiles", "Diagnostics"],
            exclude: ["Support/interfaces.py", "Support/message_signing.c"]),
        tests(
            "PKIMessagesTests",
            ["PKIMessages", "MessageDescription", "Diagnostics", "SecretMemory", asn1, x509, crypto],
            exclude: ["Vectors/README.md"]),
        tests(
            "CertificateAuthorityTests",
            [
                "CertificateAuthority", "SQLiteStorage", "PKIMessages", "KeyProvider", "Diagnostics", "SecretMemory",
                asn1, x509, crypto, yams,
            ]),
        tests("BackupSetsTests", ["BackupSets", "PKIMessages", "SecretMemory", "Diagnostics"]),
        tests("SQLiteStorageTests", ["SQLiteStorage", "CertificateAuthority", "KeyProvider", "Diagnostics", grdb]),
        tests(
            "KeyArchivalTests",
            [
                "KeyArchival", "PKCS11", "PKCS11KeyProvider", "SQLiteStorage", "CertificateAuthority", "PKIMessages",
                "KeyProvider", "DeviceProfiles", "SecretMemory", "Diagnostics", asn1, x509,
            ]),
        tests(
            "EnrollmentWebTests",
            [
                "EnrollmentWeb", "SQLiteStorage", "CertificateAuthority", "PKIMessages", "KeyProvider", "SecretMemory",
                "Diagnostics", logging, lifecycle,
            ] + hummingbird),
        // The authority that the crash sweep kills, with faults of the disk linked in.
        .target(name: "StorageFaults", path: "Tests/StorageFaults"),
        .executableTarget(
            name: "swept-authority",
            dependencies: [
                "StorageFaults", "CAService", "CertificateAuthority", "KeyProvider", "PKCS11", "PKIMessages",
                "SimulatorControl", "Diagnostics", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/SweptAuthority", swiftSettings: settings),
        tests(
            "CAServiceTests",
            [
                "CAService", "CertificateAuthority", "KeyArchival", "PKIMessages", "KeyProvider", "PKCS11",
                "PKCS11KeyProvider", "SimulatorControl", "SecretMemory", "SQLiteStorage", "BackupSets", "Diagnostics",
                "swept-authority", "signetd", "CProcess",
                logging, lifecycle, asn1, x509,
            ]),
        // The programs are built with the tests, which run them.
        tests("IntegrationTests", ["signet", "signetd", "CAService"]),
    ]
)

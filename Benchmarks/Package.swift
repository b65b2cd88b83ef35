// swift-tools-version: 6.2
import PackageDescription

let service = Target.Dependency.product(name: "SignetService", package: "signet")
let tokens = Target.Dependency.product(name: "SignetTokens", package: "signet")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let settings: [SwiftSetting] = [.swiftLanguageMode(.v6)]

// A package of its own, so that benchmarks are off the main graph and see only what is public.
let package = Package(
    name: "signet-benchmarks",
    products: [.library(name: "SlowSync", type: .dynamic, targets: ["SlowSync"])],
    dependencies: [
        .package(name: "signet", path: ".."),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
    ],
    targets: [
        .systemLibrary(name: "CRawPKCS11"),
        // Preloaded, never linked.
        .target(name: "SlowSync"),
        .target(name: "BenchmarkSupport", dependencies: ["CRawPKCS11", tokens], swiftSettings: settings),
        .executableTarget(
            name: "token-benchmarks", dependencies: ["BenchmarkSupport", tokens], swiftSettings: settings),
        .executableTarget(
            name: "signet-benchmarks", dependencies: ["BenchmarkSupport", service, tokens, x509],
            swiftSettings: settings),
    ]
)

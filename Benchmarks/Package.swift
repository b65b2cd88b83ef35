// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that benchmarks are off the main graph and see only what is public.
let package = Package(
    name: "signet-benchmarks",
    dependencies: [.package(name: "signet", path: "..")],
    targets: [
        .executableTarget(
            name: "signet-benchmarks",
            dependencies: [
                .product(name: "SignetService", package: "signet"),
                .product(name: "SignetTokens", package: "signet"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6)])
    ]
)

import BenchmarkSupport
import Foundation
import KeyProvider

/// A PKCS #10 with a DNS name, made by openssl.
enum SampleRequest {
    /// - Parameter algorithm: RSA, or P-256 for every other one.
    static func make(in directory: String, _ algorithm: KeyAlgorithm = .p256) throws -> [UInt8] {
        let key =
            switch algorithm {
            case .rsa(let bits): ["rsa:\(bits)"]
            default: ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
            }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            [
                "openssl", "req", "-new", "-nodes", "-keyout", directory + "/www.key", "-outform", "DER", "-out",
                directory + "/www.req", "-subj", "/CN=www.example.test", "-addext",
                "subjectAltName=DNS:www.example.test",
                "-newkey",
            ] + key
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard let data = FileManager.default.contents(atPath: directory + "/www.req") else {
            throw BenchmarkFailure.requestNotMade
        }
        return Array(data)
    }
}

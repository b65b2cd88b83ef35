import BenchmarkSupport
import Foundation

/// A P-256 PKCS #10 with a DNS name, made by openssl.
enum SampleRequest {
    static func make(in directory: String) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            directory + "/www.key", "-outform", "DER", "-out", directory + "/www.req", "-subj", "/CN=www.example.test",
            "-addext", "subjectAltName=DNS:www.example.test",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard let data = FileManager.default.contents(atPath: directory + "/www.req") else {
            throw BenchmarkFailure.requestNotMade
        }
        return Array(data)
    }
}

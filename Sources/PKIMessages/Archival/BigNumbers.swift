import CLibCrypto

/// libcrypto's big numbers for one computation: all of them are wiped at its end.
final class BigNumbers {
    private let context: OpaquePointer
    private var allocated: [OpaquePointer] = []

    private init(context: OpaquePointer) {
        self.context = context
    }

    static func withContext<R>(_ body: (BigNumbers) throws -> R) throws -> R {
        let context = try LibCrypto.require(BN_CTX_secure_new(), self.what)
        let numbers = BigNumbers(context: context)
        defer {
            numbers.allocated.forEach { BN_clear_free($0) }
            BN_CTX_free(context)
        }
        return try body(numbers)
    }

    private static let what = "check of an RSA private key"

    private func new() throws -> OpaquePointer {
        let number = try LibCrypto.require(BN_secure_new(), Self.what)
        BN_set_flags(number, BN_FLG_CONSTTIME)
        self.allocated.append(number)
        return number
    }

    func number(_ number: RSAPrivateNumbers.Number) throws -> OpaquePointer {
        let result = try self.new()
        let bytes = number.bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        let length = Int32(number.bytes.count)
        let made =
            switch number.order {
            case .bigEndian: BN_bin2bn(bytes, length, result)
            case .littleEndian: BN_lebin2bn(bytes, length, result)
            }
        _ = try LibCrypto.require(made, Self.what)
        return result
    }

    func product(_ a: OpaquePointer, _ b: OpaquePointer) throws -> OpaquePointer {
        let result = try self.new()
        try LibCrypto.check(BN_mul(result, a, b, self.context), Self.what)
        return result
    }

    func predecessor(_ a: OpaquePointer) throws -> OpaquePointer {
        let result = try self.new()
        try LibCrypto.check(BN_sub(result, a, BN_value_one()), Self.what)
        return result
    }

    func remainder(_ a: OpaquePointer, _ modulus: OpaquePointer) throws -> OpaquePointer {
        let result = try self.new()
        try LibCrypto.check(BN_div(nil, result, a, modulus, self.context), Self.what)
        return result
    }
}

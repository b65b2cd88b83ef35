import SecretMemory
import Testing

@Suite("Secret bytes")
struct SecretBytesTests {
    @Test("Moving an array in wipes the array")
    func moving() throws {
        var source: [UInt8] = [1, 2, 3]
        let secret = try SecretBytes(moving: &source)
        #expect(source.isEmpty)
        #expect(secret.withUnsafeBytes { Array($0) } == [1, 2, 3])
    }

    @Test("Only as many bytes count as the initialiser wrote")
    func partial() throws {
        let secret = try SecretBytes(capacity: 100) { buffer in
            buffer[0] = 7
            return 1
        }
        #expect(secret.count == 1)
    }

    @Test("A description tells the length and no byte")
    func description() throws {
        #expect("\(try SecretBytes(copying: Array("12345678".utf8)))" == "SecretBytes(8 bytes)")
    }

    @Test("Secrets are equal when length and every byte are")
    func matches() throws {
        let secret = try SecretBytes(copying: [1, 2, 3])
        #expect(secret.matches(try SecretBytes(copying: [1, 2, 3])))
        #expect(!secret.matches(try SecretBytes(copying: [1, 2, 4])))
        #expect(!secret.matches(try SecretBytes(copying: [1, 2])))
    }

    @Test("Memory that is used again has nothing of the secrets before", arguments: [1, 4096, 4097, 20_000])
    func reuse(count: Int) throws {
        for _ in 0..<20 {
            let secrets = try (0..<12).map { _ in
                try SecretBytes(capacity: count) { buffer in
                    #expect(buffer.allSatisfy { $0 == 0 })
                    for index in buffer.indices { buffer[index] = 0xA5 }
                    return count
                }
            }
            #expect(secrets.allSatisfy { $0.withUnsafeBytes { $0.allSatisfy { $0 == 0xA5 } } })
        }
    }

    @Test("An initialiser's error reaches the caller")
    func failing() {
        struct Refused: Error, Equatable {}
        #expect(throws: Refused()) { try SecretBytes(capacity: 8) { _ in throw Refused() } }
    }
}

import PKIMessages
import SecretMemory
import TestSupport
import Testing

@testable import KeyArchival

@Suite("Sharing secrets")
struct SecretSharingTests {
    @Test("Products and inverses are those of FIPS 197, sections 4.2 and 4.2.1, and every element has an inverse")
    func field() {
        #expect(GaloisField.multiply(0x57, 0x83) == 0xC1)
        #expect(GaloisField.multiply(0x57, 0x13) == 0xFE)
        #expect(GaloisField.inverse(0x53) == 0xCA)
        for value in UInt8(1)...255 { #expect(GaloisField.multiply(value, GaloisField.inverse(value)) == 1) }
    }

    @Test("One share of two says nothing: over all coefficients it takes every value once, whatever the secret is")
    func perfect() throws {
        for secret in [UInt8(0), 1, 0x5A, 0xFF] {
            var seen: Set<UInt8> = []
            for coefficient in UInt8(0)...255 {
                let shares = try SecretSharing.split(
                    SecretBytes(copying: [secret]), threshold: 2, count: 2, random: { _ in [coefficient] })
                seen.insert(try #require(shares[1].withUnsafeBytes { $0.first }))
            }
            #expect(seen.count == 256)
        }
    }

    /// Arithmetic by tables of logarithms to the base 3, written from the paper and apart from ours.
    private static let python = """
        import itertools, sys
        exp, log, v = [], {}, 1
        for i in range(255):
            exp.append(v); log[v] = i
            v ^= ((v << 1) ^ (0x11b if v & 0x80 else 0))
        def mul(a, b): return exp[(log[a] + log[b]) % 255] if a and b else 0
        def div(a, b): return exp[(log[a] - log[b]) % 255] if a else 0
        def combine(points):
            out = bytearray(len(points[0][1]))
            for x, y in points:
                basis = 1
                for other, _ in points:
                    if other != x: basis = mul(basis, div(other, other ^ x))
                for i, byte in enumerate(y): out[i] ^= mul(byte, basis)
            return bytes(out)
        """

    private func run(_ script: String, _ arguments: [String]) async throws -> String {
        let result = try await TestSupport.run(
            ["python3", "-c", SecretSharingTests.python + "\n" + script] + arguments)
        #expect(result.status == 0, "\(result.stderr)")
        return result.text
    }

    @Test("Another implementation combines our shares, from every m of n; fewer give something else")
    func combinedElsewhere() async throws {
        let secret = try LibCrypto.randomBytes(32)
        let shares = try SecretSharing.split(
            SecretBytes(copying: secret), threshold: 3, count: 5, random: LibCrypto.randomBytes)
        let text = try await self.run(
            """
            points = [(i + 1, bytes.fromhex(a)) for i, a in enumerate(sys.argv[1:])]
            for m in (2, 3, 5): print(*sorted({combine(c).hex() for c in itertools.combinations(points, m)}))
            """, shares.map { $0.withUnsafeBytes { Hexadecimal.lower(Array($0)) } })
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        let wanted = Hexadecimal.lower(secret)
        #expect(lines.count == 3 && !lines[0].contains(wanted))
        #expect(lines[1] == [wanted] && lines[2] == [wanted])
    }

    @Test("We combine what another implementation has shared")
    func sharedElsewhere() async throws {
        let text = try await self.run(
            """
            secret, one, two = (bytes.fromhex(a) for a in sys.argv[1:])
            for x in (1, 2, 7, 255):
                print(bytes(s ^ mul(a, x) ^ mul(b, mul(x, x)) for s, a, b in zip(secret, one, two)).hex())
            """, ["000102fdfeff", "0053ca80ff01", "ff00111b0180"])
        let shares = try zip([UInt8(1), 2, 7, 255], text.split(separator: "\n")).map { index, line in
            (index: index, value: try SecretBytes(copying: #require(Hexadecimal.bytes(line))))
        }
        for left in shares.indices {
            let chosen = shares.enumerated().filter { $0.offset != left }.map(\.element)
            let secret = try SecretSharing.combine(chosen)
            #expect(secret.withUnsafeBytes { Hexadecimal.lower(Array($0)) } == "000102fdfeff")
        }
    }
}

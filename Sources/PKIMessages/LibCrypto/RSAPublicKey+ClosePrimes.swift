import CLibCrypto

extension RSAPublicKey {
    /// Tries to factor the modulus as the product of two primes that are close to each other (Fermat; CVE-2022-26320).
    ///
    /// - Parameter rounds: how far to search; a hundred find every key that a broken generator made by counting on from
    ///   the first prime.
    /// - Returns: true when the modulus was factored.
    package func hasClosePrimes(rounds: Int = 100) throws -> Bool {
        let what = "test of an RSA modulus"
        let context = try LibCrypto.require(BN_CTX_new(), what)
        defer { BN_CTX_free(context) }
        let modulus = try LibCrypto.require(BN_bin2bn(self.modulus, Int32(self.modulus.count), nil), what)
        defer { BN_free(modulus) }
        // n = a² - b² with a just above the root of n; the primes are a + b and a - b.
        let a = try BigSquareRoot.floor(of: modulus, context)
        defer { BN_free(a) }
        let square = try LibCrypto.require(BN_new(), what)
        defer { BN_free(square) }
        let step = try LibCrypto.require(BN_new(), what)
        defer { BN_free(step) }
        try LibCrypto.check(BN_sqr(square, a, context), what)
        if BN_cmp(square, modulus) == 0 { return true }
        try LibCrypto.check(BN_add_word(a, 1), what)
        try LibCrypto.check(BN_sqr(square, a, context), what)
        try LibCrypto.check(BN_sub(square, square, modulus), what)
        for _ in 0..<rounds {
            if try BigSquareRoot.isSquare(square, context) { return true }
            // (a + 1)² - n = a² - n + 2a + 1
            try LibCrypto.check(BN_lshift1(step, a), what)
            try LibCrypto.check(BN_add_word(step, 1), what)
            try LibCrypto.check(BN_add(square, square, step), what)
            try LibCrypto.check(BN_add_word(a, 1), what)
        }
        return false
    }
}

private enum BigSquareRoot {
    /// The whole part of the square root, by Newton's method from above.
    static func floor(of number: OpaquePointer, _ context: OpaquePointer) throws -> OpaquePointer {
        let what = "square root"
        var root = try LibCrypto.require(BN_new(), what)
        var next = try LibCrypto.require(BN_new(), what)
        // 2^ceil(bits / 2) is not below the root.
        try LibCrypto.check(BN_set_bit(root, (BN_num_bits(number) + 1) / 2), what)
        while true {
            try LibCrypto.check(BN_div(next, nil, number, root, context), what)
            try LibCrypto.check(BN_add(next, next, root), what)
            try LibCrypto.check(BN_rshift1(next, next), what)
            guard BN_cmp(next, root) < 0 else { break }
            swap(&next, &root)
        }
        BN_free(next)
        return root
    }

    static func isSquare(_ number: OpaquePointer, _ context: OpaquePointer) throws -> Bool {
        // Squares are rare modulo these, and a division by a word is cheap: fewer than one in a hundred goes on.
        let word = BN_mod_word(number, 64 * 63 * 65 * 11)
        guard [64, 63, 65, 11].allSatisfy({ Residues.isSquare(Int(word) % $0, modulo: $0) }) else { return false }
        let root = try self.floor(of: number, context)
        defer { BN_free(root) }
        let square = try LibCrypto.require(BN_new(), "square root")
        defer { BN_free(square) }
        try LibCrypto.check(BN_sqr(square, root, context), "square root")
        return BN_cmp(square, number) == 0
    }
}

private enum Residues {
    static let squares: [Int: Set<Int>] = Dictionary(
        uniqueKeysWithValues: [64, 63, 65, 11].map { modulus in
            (modulus, Set((0..<modulus).map { $0 * $0 % modulus }))
        })

    static func isSquare(_ residue: Int, modulo modulus: Int) -> Bool {
        self.squares[modulus]?.contains(residue) ?? true
    }
}

/// What can be seen of a weak RSA key without factoring it.
extension RSAPublicKey {
    /// The public exponent as a number; `nil` when it has more than 64 bits.
    package var exponentValue: UInt64? {
        self.publicExponent.count <= 8 ? self.publicExponent.reduce(0) { $0 << 8 | UInt64($1) } : nil
    }

    /// The smallest odd prime below 752 that divides the modulus (the primes of the CA/Browser Forum's lints).
    package var smallFactor: Int? {
        for (product, primes) in SmallPrimes.products {
            let remainder = self.remainder(by: product)
            if let prime = primes.first(where: { remainder % $0 == 0 }) { return Int(prime) }
        }
        return nil
    }

    /// True for a modulus of the form that Infineon's library makes, whose factors can be found (ROCA, CVE-2017-15361):
    /// modulo every prime up to 167 it is a power of 65537. One sound modulus in some 2^40 looks so, too.
    package var looksLikeROCA: Bool {
        SmallPrimes.powersOf65537.allSatisfy { prime, powers in powers.contains(self.remainder(by: prime)) }
    }

    /// The modulus as `openssl rsa -modulus` prints it: what Debian's lists of weak keys have hashed.
    package var opensslModulusText: String { "Modulus=\(Hexadecimal.upper(self.modulus))\n" }

    /// The modulus modulo a number, by long division from the most significant octets.
    private func remainder(by divisor: UInt64) -> UInt64 {
        var remainder: UInt64 = 0
        var index = self.modulus.startIndex
        // The first limb is the short one.
        var take = self.modulus.count % 8 == 0 ? 8 : self.modulus.count % 8
        while index < self.modulus.endIndex {
            var limb: UInt64 = 0
            for octet in self.modulus[index..<index + take] { limb = limb << 8 | UInt64(octet) }
            remainder = divisor.dividingFullWidth((remainder, limb)).remainder
            index += take
            take = 8
        }
        return remainder
    }
}

private enum SmallPrimes {
    static let odd: [UInt64] = (3..<752).filter { candidate in
        (2..<candidate).prefix { $0 * $0 <= candidate }.allSatisfy { candidate % $0 != 0 }
    }

    /// Products of consecutive primes that fit 64 bits, so that one division serves several primes.
    static let products: [(product: UInt64, primes: [UInt64])] = {
        var groups: [(product: UInt64, primes: [UInt64])] = []
        for prime in SmallPrimes.odd {
            if let last = groups.last, !last.product.multipliedReportingOverflow(by: prime).overflow {
                groups[groups.count - 1] = (last.product * prime, last.primes + [prime])
            } else {
                groups.append((prime, [prime]))
            }
        }
        return groups
    }()

    static let powersOf65537: [(prime: UInt64, powers: Set<UInt64>)] = SmallPrimes.odd.filter { $0 <= 167 }.map {
        prime in
        var powers: Set<UInt64> = []
        var power: UInt64 = 1
        while powers.insert(power).inserted { power = power * 65537 % prime }
        return (prime, powers)
    }
}

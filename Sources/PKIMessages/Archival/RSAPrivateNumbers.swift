import CLibCrypto

/// The numbers of an RSA private key (RFC 8017, section 3.2), lent from locked memory for the time of one closure.
struct RSAPrivateNumbers {
    enum ByteOrder {
        case bigEndian, littleEndian
    }

    /// One unsigned number, possibly with zeros on its significant side.
    struct Number {
        let bytes: UnsafeRawBufferPointer
        let order: ByteOrder

        /// The byte with the weight 256 to the power of `index`.
        subscript(_ index: Int) -> UInt8 {
            switch self.order {
            case .bigEndian: self.bytes[self.bytes.count - 1 - index]
            case .littleEndian: self.bytes[index]
            }
        }

        /// The length without the zeros on the significant side.
        var significantBytes: Int {
            var count = self.bytes.count
            while count > 0, self[count - 1] == 0 { count -= 1 }
            return count
        }

        var bitCount: Int {
            let count = self.significantBytes
            return count == 0 ? 0 : count * 8 - self[count - 1].leadingZeroBitCount
        }

        /// Unsigned big-endian without leading zeros, for numbers that are public.
        var magnitude: [UInt8] {
            (0..<self.significantBytes).reversed().map { self[$0] }
        }
    }

    let modulus, publicExponent, privateExponent, prime1, prime2, exponent1, exponent2, coefficient: Number

    /// True when the numbers belong together: n = p q, e d = 1 modulo p - 1 and q - 1, d mod (p - 1), d mod (q - 1) and
    /// the inverse of q are what they should be. A wrong one would give wrong results, some of which betray the key.
    ///
    /// - Throws: ``PKIMessageError`` with `libcryptoFailed` when libcrypto runs out of memory.
    func areConsistent() throws -> Bool {
        try BigNumbers.withContext { numbers in
            let p = try numbers.number(self.prime1)
            let q = try numbers.number(self.prime2)
            let n = try numbers.number(self.modulus)
            let e = try numbers.number(self.publicExponent)
            let d = try numbers.number(self.privateExponent)
            guard BN_cmp(p, BN_value_one()) > 0, BN_cmp(q, BN_value_one()) > 0 else { return false }
            guard BN_cmp(try numbers.product(p, q), n) == 0 else { return false }
            let pMinus1 = try numbers.predecessor(p)
            let qMinus1 = try numbers.predecessor(q)
            let ed = try numbers.product(e, d)
            return try BN_is_one(numbers.remainder(ed, pMinus1)) == 1
                && BN_is_one(numbers.remainder(ed, qMinus1)) == 1
                && BN_cmp(numbers.remainder(d, pMinus1), numbers.number(self.exponent1)) == 0
                && BN_cmp(numbers.remainder(d, qMinus1), numbers.number(self.exponent2)) == 0
                && BN_is_one(numbers.remainder(numbers.product(q, numbers.number(self.coefficient)), p)) == 1
        }
    }
}

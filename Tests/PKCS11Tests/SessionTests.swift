import Diagnostics
import PKCS11
import TestSupport
import Testing

/// The same rules on every software token.
@Suite struct SessionTests {
    private static func ecTemplates(
        _ id: [UInt8], onToken: Bool = true
    ) -> (AttributeTemplate, AttributeTemplate) {
        var publicKey = AttributeTemplate()
        publicKey[.token] = onToken
        publicKey[.id] = id
        publicKey[.ecParameters] = NamedCurve.p256.parametersDER
        publicKey[.verify] = true
        var privateKey = AttributeTemplate()
        privateKey[.token] = onToken
        privateKey[.isPrivate] = true
        privateKey[.sensitive] = true
        privateKey[.extractable] = false
        privateKey[.id] = id
        privateKey[.sign] = true
        return (publicKey, privateKey)
    }

    @Test("A key pair is made, found, read, used and removed", arguments: SoftwareToken.Kind.allCases)
    func keyPairLife(kind: SoftwareToken.Kind) async throws {
        let software = try await SoftwareToken.make(kind)
        let token = try await software.openLoggedIn()
        let (publicKey, privateKey) = SessionTests.ecTemplates([7, 7])
        try await token.withSession(.readWrite) { session in
            _ = try session.generateKeyPair(Mechanism(.ecKeyPairGen), publicKey: publicKey, privateKey: privateKey)
        }
        let lengths = try await token.withSession { session -> [Int] in
            var wanted = AttributeTemplate()
            wanted[.objectClass] = .privateKey
            wanted[.id] = [7, 7]
            let key = try #require(try session.findObjects(wanted).first)
            let read = try session.attributes(of: key, .sensitive, .extractable, .local, .value, .modulus)
            #expect(read[.sensitive] == true)
            #expect(read[.extractable] == false)
            #expect(read[.local] != nil)
            #expect(read[.value] == nil && read[.modulus] == nil)
            let signature = try session.sign([UInt8](repeating: 1, count: 32), with: key, Mechanism(.ecdsa))
            wanted[.objectClass] = .publicKey
            let half = try #require(try session.findObjects(wanted).first)
            let point = try #require(try session.attributes(of: half, .ecPoint)[.ecPoint])
            return [signature.count, NamedCurve.p256.uncompressedPoint(attributeValue: point)?.count ?? 0]
        }
        #expect(lengths == [64, 65])
        try await token.withSession(.readWrite) { session in
            var wanted = AttributeTemplate()
            wanted[.id] = [7, 7]
            for object in try session.findObjects(wanted) { try session.destroyObject(object) }
            #expect(try session.findObjects(wanted).isEmpty)
        }
        await token.close()
    }

    @Test("A private key is not seen before the login, and a wrong PIN says so", arguments: SoftwareToken.Kind.allCases)
    func wrongPIN(kind: SoftwareToken.Kind) async throws {
        let software = try await SoftwareToken.make(kind)
        let token = try software.open()
        let wrong = Array("000000".utf8)
        let error = await #expect(throws: PKCS11Error.self) {
            try await token.login { use in wrong.withUnsafeBytes { use($0) } }
        }
        #expect(error?.returnValue == .pinIncorrect)
        #expect(error?.function == "C_Login")
        #expect(error?.token?.label == software.label)
        let right = Array(software.userPIN.utf8)
        try await token.login { use in right.withUnsafeBytes { use($0) } }
        await token.close()
    }

    @Test("After a failed call the next one gets a sound session", arguments: SoftwareToken.Kind.allCases)
    func sessionAfterFailure(kind: SoftwareToken.Kind) async throws {
        let software = try await SoftwareToken.make(kind)
        let token = try await software.openLoggedIn(maximumSessions: 1)
        for _ in 0..<3 {
            let error = await #expect(throws: PKCS11Error.self) {
                try await token.withSession { session in
                    try session.sign([1], with: ObjectHandle(rawValue: 0xFFFF), Mechanism(.ecdsa))
                }
            }
            #expect(error?.returnValue == .keyHandleInvalid || error?.returnValue == .objectHandleInvalid)
            #expect(error?.mechanism == .ecdsa)
        }
        let bytes = try await token.withSession { try $0.randomBytes(16) }
        #expect(bytes.count == 16 && bytes.contains { $0 != 0 })
        await token.close()
    }

    @Test("More callers than sessions all get their turn, off the cooperative pool")
    func manyCallers() async throws {
        try await withSoftHSM { software in
            let token = try await software.openLoggedIn(maximumSessions: 3)
            let lengths = try await withThrowingTaskGroup(of: Int.self) { group in
                for count in 1...40 {
                    group.addTask { try await token.withSession { try $0.randomBytes(count).count } }
                }
                return try await group.reduce(0, +)
            }
            #expect(lengths == 820)
            await token.close()
            let error = await #expect(throws: TokenWaitError.self) {
                try await token.withSession { try $0.randomBytes(1) }
            }
            #expect(error?.code == .closed)
        }
    }

    @Test("A secret key encrypts and decrypts, and its session objects end with the session")
    func secretKey() async throws {
        try await withSoftHSM { software in
            let token = try await software.openLoggedIn(maximumSessions: 1)
            let opened = try await token.withSession { session -> [UInt8] in
                var template = AttributeTemplate()
                template[.token] = false
                template[.valueLength] = 32
                template[.encrypt] = true
                template[.decrypt] = true
                let key = try session.generateKey(Mechanism(.aesKeyGen), template: template)
                let mechanism = Mechanism.aesCBCPad(initializationVector: [UInt8](repeating: 3, count: 16))
                let plaintext = Array("attack at dawn".utf8)
                let ciphertext = try plaintext.withUnsafeBytes { try session.encrypt($0, with: key, mechanism) }
                #expect(ciphertext.count == 16)
                var opened = [UInt8](repeating: 0, count: 32)
                let count = try opened.withUnsafeMutableBytes {
                    try session.decrypt(ciphertext, with: key, mechanism, into: $0)
                }
                return Array(opened.prefix(count))
            }
            #expect(opened == Array("attack at dawn".utf8))
            await token.close()
        }
    }
}

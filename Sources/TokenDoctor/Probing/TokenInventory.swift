internal import Diagnostics
internal import PKCS11
internal import PKCS11KeyProvider

/// The objects of a token, and the removal of test objects.
struct TokenInventory: Sendable {
    let token: Token
    /// How often a listing or a removal is tried, each time in a new session: the doctor has to clean up on a device
    /// that fails.
    private static let attempts = 4

    /// Class, `CKA_ID` and label of every token object, sorted.
    func list() async throws -> [String] {
        try await self.repeated { session in
            var onToken = AttributeTemplate()
            onToken[.token] = true
            return try session.findObjects(onToken).map { object in
                let read = try session.attributes(of: object, .objectClass, .id, .label)
                let objectClass = read[.objectClass].map { "\($0.name)" } ?? "object"
                return "\(objectClass) \(TokenInventory.hex(read[.id] ?? [])) \"\(read[.label] ?? "")\""
            }.sorted()
        }
    }

    /// Removes every token object with the doctor's label.
    ///
    /// - Returns: how many there were.
    func removeTestObjects() async throws -> Int {
        try await self.repeated { session in
            var template = AttributeTemplate()
            template[.token] = true
            template[.label] = TokenDoctor.label
            let found = try session.findObjects(template)
            for object in found {
                do {
                    try session.destroyObject(object)
                } catch let error as PKCS11Error where error.returnValue == .objectHandleInvalid {
                    // Cards remove a public key together with its private key.
                }
            }
            return found.count
        }
    }

    private func repeated<R: Sendable>(_ body: @escaping @Sendable (Session) throws -> R) async throws -> R {
        for _ in 1..<TokenInventory.attempts {
            do {
                return try await self.token.withSession(.readWrite, isNew: !self.token.hasOneSession, body)
            } catch is PKCS11Error {
                continue
            }
        }
        return try await self.token.withSession(.readWrite, isNew: !self.token.hasOneSession, body)
    }

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

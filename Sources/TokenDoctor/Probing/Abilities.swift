internal import DeviceProfiles
internal import PKCS11

/// One thing that a role may need, tried with a test key.
struct Ability: Sendable {
    let id: String
    let title: String
    let key: TestKeyKind
    /// What is tried beside making the key; `nil` when making it is all.
    let run: @Sendable (Probe) throws -> Void
}

/// Of several abilities one is enough.
struct Requirement: Sendable {
    let title: String
    let abilities: [Ability]
}

/// What a token is to be used for.
package enum DoctorRole: String, Sendable, Hashable, Codable, CaseIterable {
    case ca, exchange, kra

    package var title: String {
        switch self {
        case .ca: "CA key"
        case .exchange: "exchange key"
        case .kra: "key recovery agent"
        }
    }

    var requirements: [Requirement] {
        switch self {
        case .ca:
            [
                Requirement(
                    title: "sign certificates and CRLs",
                    abilities: [
                        .signing("ca.sign-p256", "ECDSA with a P-256 key", .signingP256),
                        .signing("ca.sign-p384", "ECDSA with a P-384 key", .signingP384),
                        .signing("ca.sign-rsa2048", "RSA PKCS#1 v1.5 with an RSA-2048 key", .signingRSA2048),
                    ])
            ]
        case .exchange:
            [
                Requirement(title: "receive keys", abilities: Ability.decrypting("exchange", .exchangeRSA2048)),
                Requirement(
                    title: "make archive records",
                    abilities: [
                        Ability(
                            id: "exchange.on-token", title: "token-wrapped: the private key stays on the token",
                            key: .exchangeRSA2048, run: { try $0.rewrapPrivateKey() }),
                        Ability(
                            id: "exchange.cms-aes", title: "cms-aes: the record's key is made and wrapped on the token",
                            key: .exchangeRSA2048, run: { try $0.encryptRecord() }),
                    ]),
            ]
        case .kra:
            [
                Requirement(
                    title: "request a certificate",
                    abilities: [.signing("kra.sign", "RSA PKCS#1 v1.5 with an RSA-2048 key", .agentRSA2048)]),
                Requirement(
                    title: "keep the certificate on the card",
                    abilities: [
                        Ability(
                            id: "kra.certificate", title: "a certificate beside the key", key: .agentRSA2048,
                            run: { try $0.storeCertificate() })
                    ]),
                Requirement(title: "open archived keys", abilities: Ability.decrypting("kra", .agentRSA2048)),
            ]
        }
    }
}

extension Ability {
    static func signing(_ id: String, _ title: String, _ key: TestKeyKind) -> Ability {
        Ability(id: id, title: title, key: key, run: { try $0.sign() })
    }

    static func decrypting(_ prefix: String, _ key: TestKeyKind) -> [Ability] {
        let padded = Ability(
            id: "\(prefix).pkcs1", title: "C_Decrypt, RSA PKCS#1 v1.5", key: key, run: { try $0.decrypt(oaep: nil) })
        let oaep = OAEPHash.allCases.map { hash in
            Ability(
                id: "\(prefix).oaep-\(hash.rawValue.lowercased())", title: "C_Decrypt, RSA-OAEP \(hash.rawValue)",
                key: key, run: { try $0.decrypt(oaep: hash) })
        }
        return [padded] + oaep
    }
}

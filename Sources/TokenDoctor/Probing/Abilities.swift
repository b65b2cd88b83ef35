internal import DeviceProfiles
internal import PKCS11

/// One thing that a role may need, tried with a test key.
struct Ability: Sendable {
    let id: String
    let title: String
    let key: TestKeyKind
    /// True for what takes minutes on a card; tried only when that is asked for.
    var isSlow = false
    /// What is tried beside making the key; `nil` when making it is all.
    let run: @Sendable (Probe) throws -> Void
}

/// Of several abilities one is enough.
struct Requirement: Sendable {
    let title: String
    var abilities: [Ability]
    /// True for what Signet can use where it is there, and does without.
    var isOptional = false
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

    /// - Parameter isThorough: with what takes minutes on a card.
    func requirements(isThorough: Bool) -> [Requirement] {
        self.requirements.map { requirement in
            var tried = requirement
            tried.abilities.removeAll { $0.isSlow && !isThorough }
            return tried
        }
    }

    private var requirements: [Requirement] {
        switch self {
        case .ca:
            [
                Requirement(
                    title: "sign certificates and CRLs",
                    abilities: [
                        .signing("ca.sign-p256", "ECDSA with a P-256 key", .signingP256),
                        .signing("ca.sign-p384", "ECDSA with a P-384 key", .signingP384),
                        .signing("ca.sign-p521", "ECDSA with a P-521 key", .signingP521),
                        .signing("ca.sign-ed25519", "EdDSA with an Ed25519 key", .signingEd25519),
                        .signing("ca.sign-rsa2048", "RSA PKCS#1 v1.5 with an RSA-2048 key", .signingRSA2048),
                        Ability(
                            id: "ca.sign-pss", title: "RSA-PSS with an RSA-2048 key", key: .signingRSA2048,
                            run: { try $0.signPSS() }),
                        .signing(
                            "ca.sign-rsa3072", "RSA PKCS#1 v1.5 with an RSA-3072 key", .signingRSA3072, isSlow: true),
                        .signing(
                            "ca.sign-rsa4096", "RSA PKCS#1 v1.5 with an RSA-4096 key", .signingRSA4096, isSlow: true),
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
                Requirement(
                    title: "wrap and encrypt with AES in other ways",
                    abilities: [
                        .wrapping("exchange.kw", "AES key wrap (RFC 3394), CKM_AES_KEY_WRAP", .aesKeyWrap),
                        .wrapping("exchange.kwp-210a", "AES key wrap with padding, number 0x210a", .aesKeyWrapPad),
                        .wrapping("exchange.kwp-210b", "AES key wrap with padding, number 0x210b", .aesKeyWrapKWP),
                        Ability(
                            id: "exchange.gcm", title: "AES-GCM", key: .exchangeRSA2048,
                            run: { try $0.encryptGCM() }),
                    ], isOptional: true),
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
    static func signing(_ id: String, _ title: String, _ key: TestKeyKind, isSlow: Bool = false) -> Ability {
        Ability(id: id, title: title, key: key, isSlow: isSlow, run: { try $0.sign() })
    }

    static func wrapping(_ id: String, _ title: String, _ mechanism: MechanismType) -> Ability {
        Ability(id: id, title: title, key: .exchangeRSA2048, run: { try $0.wrapSecretKey(Mechanism(mechanism)) })
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

import CAService
import CertificateAuthority
import Diagnostics
import Foundation
import KeyArchival
import KeyProvider
import PKIMessages

extension WindowsTool {
    static let authorityVerbs: [WindowsVerb] = [
        WindowsVerb("CAInfo", "[InfoName]", "Display CA information", 0...1) { try await $0.authorityInformation() },
        WindowsVerb("ping", "", "Ask whether the CA can serve", 0...0) { try await $0.ping() },
        WindowsVerb("CRL", "[delta]", "Publish new CRLs, or delta CRLs only", 0...1) { try await $0.publish() },
        WindowsVerb("revoke", "SerialNumber[,SerialNumber] [Reason]", "Revoke a certificate", 1...2) {
            try await $0.revoke()
        },
        WindowsVerb("deny", "RequestId", "Deny a pending request", 1...1) { try await $0.deny() },
        WindowsVerb("resubmit", "RequestId", "Resubmit a pending request", 1...1) { try await $0.resubmit() },
        WindowsVerb("verifykeys", "", "Verify that the CA's keys are on their token, each by a signature", 0...0) {
            try await $0.verifyKeys()
        },
    ]

    /// The numbers of the reasons (RFC 5280, section 5.3.1), and those of Windows beside them.
    static func reason(_ text: String) throws -> CRLReason {
        if let number = Int(text) {
            if number == -1 { return .removeFromCRL }
            guard let reason = CRLReason(rawValue: number) else {
                throw WindowsUsageError("There is no revocation reason \(number)")
            }
            return reason
        }
        let name = text.lowercased().replacing("crl_reason_", with: "").filter { $0 != "_" && $0 != " " }
        guard let reason = CRLReason.allCases.first(where: { $0.name.lowercased() == name }) else {
            throw WindowsUsageError("There is no revocation reason \"\(text)\"")
        }
        return reason
    }
}

extension WindowsSession {
    fileprivate func ping() async throws {
        let instance = try self.instance()
        let clock = ContinuousClock()
        let start = clock.now
        Console.say("Connecting to \(self.configurationText(instance)) ...")
        _ = try await instance.authority(for: .signing)
        let milliseconds = (clock.now - start) / .milliseconds(1)
        Console.say("Server \"\(instance.configuration.name)\" is alive (\(Int(milliseconds))ms)")
    }

    fileprivate func publish() async throws {
        let isDelta = self.values.first?.lowercased() == "delta"
        guard isDelta || self.values.isEmpty else {
            throw WindowsUsageError(
                "-CRL \(self.values[0]): the period of a CRL is a setting",
                advice: "Set it with certutil -setreg ca\\CRLPeriodUnits N, then publish.")
        }
        let authority = try await self.instance().authority()
        let published = try await authority.publishCRLs(
            CRLOrder(isDelta ? .delta : .base, keyIndex: nil), by: authority.localOperator())
        for crl in published {
            for (place, error) in crl.failures {
                Console.complain("CRL \(crl.record.number) is signed, but not at \(place)")
                throw error
            }
        }
    }

    fileprivate func revoke() async throws {
        let reason = try self.values.dropFirst().first.map(WindowsTool.reason) ?? .unspecified
        let serials = try self.values[0].split(separator: ",").map { text in
            guard let number = SerialNumber.content(hex: text.filter { !" :".contains($0) }) else {
                throw WindowsUsageError("\"\(text)\" is no serial number")
            }
            return SerialNumber.hex(number)
        }
        let authority = try await self.instance().authority(for: .records)
        for serial in serials {
            Console.say("Revoking \"\(serial.lowercased())\" -- Reason: \(reason.words)")
            try await authority.revoke(serialNumber: serial, reason: reason, by: authority.localOperator())
        }
    }

    private func requestNumber() throws -> Int64 {
        let text = self.values[0].lowercased()
        let number = text.hasPrefix("0x") ? Int64(text.dropFirst(2), radix: 16) : Int64(text)
        guard let number, number > 0 else { throw WindowsUsageError("\"\(self.values[0])\" is no request number") }
        return number
    }

    fileprivate func deny() async throws {
        let authority = try await self.instance().authority(for: .records)
        _ = try await authority.deny(request: self.requestNumber(), by: authority.localOperator())
    }

    fileprivate func resubmit() async throws {
        let authority = try await self.instance().authority()
        let result = try await authority.authority.resubmit(
            request: self.requestNumber(), by: authority.localOperator())
        switch result.disposition {
        case .issued: Console.say("Certificate issued.")
        case .pending: Console.say("Certificate request is pending: \(result.dispositionMessage) (0)")
        default:
            Console.say("Certificate request was denied: \(result.dispositionMessage)")
            if let failure = result.failure { throw failure }
            throw RefusedRequest(result)
        }
    }

    /// Finds every key that the instance knows on the token where it is, by its public key.
    fileprivate func verifyKeys() async throws {
        let instance = try await self.instance(for: .manageCACertificates, to: "verify the CA's keys")
        let records = try await instance.storage.read { try $0.ownCACertificates() }
        var usable: [String: [ProvenKey]] = [:]
        for record in records.sorted(by: { $0.index < $1.index }) {
            let certificate = try CertificateFields(derEncoded: record.certificateDER)
            Console.say("CA cert[\(record.index)]: \(certificate.subject), key \(record.keyIndex)")
            guard let locator = record.locator else { continue }
            let token = try await instance.token(holding: locator)
            let name = "\(token.identification)"
            let keys =
                if let known = usable[name] { known } else {
                    try await AuthorityKeys(on: token, surroundings: .system).usable
                }
            usable[name] = keys
            let key = keys.first { $0.pair.locator.publicKeySHA256 == locator.publicKeySHA256 }
            guard let key, certificate.subjectPublicKeyInfo.sha256 == key.pair.locator.publicKeySHA256 else {
                throw MissingAuthorityKey(certificate: "\(certificate.subject)", token: name)
            }
            Console.say("  \(key.pair.locator.reference.uri)")
            Console.say("  Signature test passed")
        }
    }

    fileprivate func authorityInformation() async throws {
        let instance = try await self.instance(for: .readConfiguration, to: "show the CA")
        let information = try await AuthorityInformation(instance)
        guard let name = self.values.first?.lowercased() else {
            for item in AuthorityInformation.items { information.lines(item.name).forEach(Console.say) }
            return
        }
        guard AuthorityInformation.items.contains(where: { $0.name == name }) else {
            throw WindowsUsageError(
                "There is no CA information \"\(name)\"",
                advice: Advice("Known are \(AuthorityInformation.items.map(\.name).joined(separator: ", "))."))
        }
        information.lines(name).forEach(Console.say)
    }
}

/// A CA key that is not on its token, or does not sign; 0x80100030.
private struct MissingAuthorityKey: DiagnosableError {
    let certificate: String
    let token: String
    var headline: String { "The key of \(self.certificate) was not found on token \(self.token), or does not sign." }
    var hresult: HRESULT { .noKeyContainer }
    var advice: [Advice] { ["Check with `signet token list` and `signet ca keys` which keys the token has."] }
}

/// A request that the CA did not answer with a certificate.
struct RefusedRequest: DiagnosableError {
    let headline: String
    let hresult: HRESULT

    init(_ result: EnrollmentResult) {
        self.headline = "Request \(result.requestID): \(result.dispositionMessage)"
        self.hresult = result.statusCode.isSuccess ? .fail : result.statusCode
    }

    var advice: [Advice] { ["Look at it with `signet request show`."] }
}

extension CRLReason {
    /// As a sentence has it: "Key Compromise".
    var words: String {
        let letters = self.name.reduce(into: "") { text, letter in
            let isStart = letter.isUppercase && text.last?.isLowercase == true
            text += (isStart ? " " : "") + String(letter)
        }
        return letters.prefix(1).uppercased() + letters.dropFirst()
    }
}

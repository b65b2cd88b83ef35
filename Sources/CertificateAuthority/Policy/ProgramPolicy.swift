import Foundation
import PKIMessages

/// A program that is asked about each request.
package protocol PolicyProgram: Sendable {
    /// For error messages.
    var name: String { get }

    /// Hands the question over and takes the answer, both JSON (docs/policy.md).
    ///
    /// - Throws: ``PolicyModuleError`` when the program cannot be run, fails, or does not answer in time.
    func answer(to question: [UInt8]) async throws -> [UInt8]
}

/// Asks a program after a built-in module: it may deny, pend, issue, or take something away. What the built-in module
/// denies stays denied, and the program is not asked.
package struct ProgramPolicy: PolicyModule {
    private let base: any PolicyModule
    private let program: any PolicyProgram
    /// The program may issue what the built-in module would let wait.
    private let mayIssuePending: Bool

    package init(base: any PolicyModule, program: any PolicyProgram, mayIssuePending: Bool = false) {
        self.base = base
        self.program = program
        self.mayIssuePending = mayIssuePending
    }

    package func template(
        for identification: TemplateIdentification, in catalog: TemplateCatalog
    ) throws -> CertificateTemplate {
        try self.base.template(for: identification, in: catalog)
    }

    package func carriedExtensions(
        of requested: RequestedExtensions, template: CertificateTemplate
    ) -> RequestedExtensions {
        self.base.carriedExtensions(of: requested, template: template)
    }

    package func evaluate(_ question: PolicyQuestion) async throws -> PolicyVerdict {
        let verdict = try await self.base.evaluate(question)
        if case .deny = verdict { return verdict }
        guard let proposal = try await question.proposal() else { return verdict }
        let message = ProgramQuestion(question, proposal: proposal, pends: verdict == .pend)
        let answer = try await self.program.answer(to: message.json())
        return try self.verdict(ProgramAnswer(json: answer, program: self.program.name), base: verdict)
    }

    private func verdict(_ answer: ProgramAnswer, base: PolicyVerdict) throws -> PolicyVerdict {
        switch answer.verdict {
        case .deny: return .deny(.deniedByProgram(answer.text ?? "Denied by the policy program."))
        case .pend:
            // A pending request is decided anew when it is approved; what was taken away would come back.
            guard answer.restrict == nil else {
                throw PolicyModuleError.badAnswer(self.program.name, "what pends cannot be restricted")
            }
            return .pend
        case .issue:
            if base == .pend, !self.mayIssuePending { return .pend }
            return answer.restrict.map { .issueRestricted($0.restrictions) } ?? .issue
        }
    }
}

/// The question as JSON. Names are part of the program's interface: docs/policy.md.
struct ProgramQuestion: Encodable {
    struct Template: Encodable {
        var name: String
        var oid: String
        var majorVersion: Int
        var minorVersion: Int
    }

    struct Certificate: Encodable {
        var subject: String
        var subjectAlternativeNames: [String]
        var notBefore: Date
        var notAfter: Date
        var keyUsage: [String]
        var extendedKeyUsages: [String]
        var issuancePolicies: [String]
    }

    struct PublicKey: Encodable {
        var algorithm: String
        var bits: Int
        var sha256: String
    }

    struct Signer: Encodable {
        var subject: String
        var serialNumber: String
        var applicationPolicies: [String]
        var issuancePolicies: [String]
    }

    var version = 1
    var verdict: String
    var requester: String
    var roles: [String]
    var groups: [String]
    var onBehalfOf: String?
    var template: Template
    var certificate: Certificate
    var publicKey: PublicKey
    var carriesPrivateKey: Bool
    var renewedSerialNumber: String?
    var signers: [Signer]

    init(_ question: PolicyQuestion, proposal: PolicyProposal, pends: Bool) {
        let template = question.template
        let key = question.subjectPublicKeyInfo
        self.verdict = pends ? "pend" : "issue"
        self.requester = question.caller.name
        self.roles = question.caller.roles.map(\.rawValue).sorted()
        self.groups = question.caller.groups.sorted()
        self.onBehalfOf = question.onBehalfOf?.name
        self.template = Template(
            name: template.name, oid: template.oid, majorVersion: template.majorVersion,
            minorVersion: template.minorVersion)
        self.certificate = Certificate(
            subject: proposal.subject, subjectAlternativeNames: proposal.alternativeNames,
            notBefore: proposal.notBefore, notAfter: proposal.notAfter, keyUsage: template.keyUsage.map(\.rawValue),
            extendedKeyUsages: template.extendedKeyUsages.map(\.description),
            issuancePolicies: template.issuancePolicies.map(\.oid))
        self.publicKey = PublicKey(
            algorithm: CertificateTemplate.PublicKeyKind(key)?.rawValue ?? "\(key.algorithm)", bits: key.keySizeBits,
            sha256: Hexadecimal.lower(key.sha256))
        self.carriesPrivateKey = question.carriesPrivateKey
        self.renewedSerialNumber = question.renewedCertificate?.serialHex
        self.signers = question.signers.map { signer in
            Signer(
                subject: DistinguishedNameText.text(of: signer.certificate.subject),
                serialNumber: signer.certificate.serialHex, applicationPolicies: signer.applicationPolicies,
                issuancePolicies: signer.issuancePolicies)
        }
    }

    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys]
        return Array(try encoder.encode(self))
    }
}

/// The answer as JSON: `{"verdict": "issue" | "pend" | "deny", "text": …, "restrict": {…}}`.
struct ProgramAnswer: Decodable {
    enum Verdict: String, Decodable {
        case issue, pend, deny
    }

    struct Restrict: Decodable {
        var notAfter: Date?
        var keyUsage: [KeyUsageBit]?
        var extendedKeyUsages: [ExtendedKeyPurpose]?
        var issuancePolicies: [String]?
        var subjectAlternativeNames: [String]?

        private enum CodingKeys: String, CodingKey, CaseIterable {
            case notAfter, keyUsage, extendedKeyUsages, issuancePolicies, subjectAlternativeNames
        }

        init(from decoder: any Decoder) throws {
            try decoder.refuseUnknownKeys(CodingKeys.allCases)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            self.notAfter = try values.decodeIfPresent(Date.self, forKey: .notAfter)
            self.keyUsage = try values.decodeIfPresent([KeyUsageBit].self, forKey: .keyUsage)
            self.extendedKeyUsages = try values.decodeIfPresent([ExtendedKeyPurpose].self, forKey: .extendedKeyUsages)
            self.issuancePolicies = try values.decodeIfPresent([String].self, forKey: .issuancePolicies)
            self.subjectAlternativeNames = try values.decodeIfPresent([String].self, forKey: .subjectAlternativeNames)
        }

        var restrictions: CertificateRestrictions {
            CertificateRestrictions(
                notAfter: self.notAfter, extendedKeyUsages: self.extendedKeyUsages, keyUsage: self.keyUsage,
                issuancePolicies: self.issuancePolicies, alternativeNames: self.subjectAlternativeNames)
        }
    }

    var verdict: Verdict
    /// For the requester, when the answer is a denial.
    var text: String?
    var restrict: Restrict?

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case verdict, text, restrict
    }

    init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.allCases)
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.verdict = try values.decode(Verdict.self, forKey: .verdict)
        self.text = try values.decodeIfPresent(String.self, forKey: .text)
        self.restrict = try values.decodeIfPresent(Restrict.self, forKey: .restrict)
    }

    /// - Throws: ``PolicyModuleError`` with code `badAnswer`.
    init(json: [UInt8], program: String) throws {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        do {
            self = try decoder.decode(ProgramAnswer.self, from: Data(json))
        } catch {
            throw PolicyModuleError.badAnswer(program, "it is not the JSON object that is expected")
        }
        guard (self.text ?? "").count <= 1000 else {
            throw PolicyModuleError.badAnswer(program, "its text has more than 1000 characters")
        }
    }
}

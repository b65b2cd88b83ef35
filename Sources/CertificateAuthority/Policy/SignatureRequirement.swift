import Diagnostics
import PKIMessages

/// Whether those have signed a request whom its template wants (MS-WCCE 3.2.2.6.2.1.4.5).
struct SignatureRequirement {
    private let question: PolicyQuestion
    private let required: CertificateTemplate.RequiredSignatures

    init(_ question: PolicyQuestion) {
        self.question = question
        self.required = question.template.requiredSignatures
    }

    /// `nil` when the signatures are those that the template wants.
    var refusal: PolicyError? {
        self.refusalOfAgent ?? self.refusalOfSignatures
    }

    /// Who asks for somebody else needs a template that lets agents, and an agent's signature.
    private var refusalOfAgent: PolicyError? {
        let template = self.question.template
        guard self.question.onBehalfOf != nil else { return nil }
        guard template.onBehalfOf else {
            return .onBehalfOf(
                "template \(template.name) lets nobody ask on behalf of others", template, .templateDenied)
        }
        guard self.required.count > 0 else {
            return .onBehalfOf(
                "template \(template.name) requires no signature, so that nobody vouches for the subject", template,
                .badRenewalSubject)
        }
        return nil
    }

    private var refusalOfSignatures: PolicyError? {
        let template = self.question.template
        guard self.required.count > 0, !self.question.isApprovedBefore else { return nil }
        let policies = self.required.applicationPolicies.map(\.description)
        let wanted = Set(self.required.applicationPolicies.map { ObjectIdentifierText.text(of: $0.oid) })
        guard !wanted.isEmpty || !self.required.issuancePolicies.isEmpty else {
            return .signatures(
                "template \(template.name) requires signatures and does not say of whom", template,
                .templatePolicyRequired)
        }
        let signers = self.question.signers
        guard signers.count >= self.required.count else {
            return .signatures(
                "it has \(signers.count) of \(self.required.count) signatures that template \(template.name) requires",
                template, .signatureCount)
        }
        guard wanted.isEmpty || signers.contains(where: { !$0.applicationPolicies.isEmpty }) else {
            return .signatures(
                "no signer has application policies, and template \(template.name) requires "
                    + policies.joined(separator: ", "), template, .signaturePolicyRequired)
        }
        let fitting = signers.filter { wanted.isSubset(of: $0.applicationPolicies) }
        guard fitting.count >= self.required.count else {
            return .signatures(
                "\(fitting.count) of its signers have the application policies that template \(template.name) requires",
                template, .signatureRejected)
        }
        let issuance = self.required.issuancePolicies
        let trusted =
            issuance.isEmpty ? fitting : fitting.filter { !Set($0.issuancePolicies).isDisjoint(with: issuance) }
        guard trusted.count >= self.required.count else {
            return .signatures(
                "its signers do not have the issuance policies that template \(template.name) requires", template,
                .issuancePolicyRequired)
        }
        return nil
    }
}

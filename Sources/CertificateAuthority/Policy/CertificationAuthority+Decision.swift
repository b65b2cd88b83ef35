import Foundation
import PKIMessages
import X509

/// What the reader of a request has verified beside the request's own signature.
struct RequestEvidence: Sendable {
    var signers: [RequestSigner] = []
    /// The certificate that a renewal replaces, found valid.
    var renewedCertificate: CertificateFields?
    /// Whom the certificate is for, when it is not for the caller.
    var onBehalfOf: Principal?
    /// The key that came with a request which is resubmitted is archived already.
    var hasArchivedKey = false
}

/// A request's terms: the template by which it is issued, already with what policy took away, and whom it names.
struct DecidedTerms: Sendable {
    @Boxed var template: CertificateTemplate
    var subject: CertificateSubject
    /// Requested extensions that go into the certificate as they are.
    var carried = RequestedExtensions()
    /// The certificate ends no later.
    var notAfterLimit: Date?
    /// False: it waits for a certificate manager.
    var issues = true
}

extension CertificationAuthority {
    /// Which template, whom the certificate will name, and what policy says.
    ///
    /// - Throws: ``RequestFailure`` of the step `policy`.
    func decideByPolicy(
        _ request: ReceivedRequest, row: RequestRecord, caller: Principal, evidence: RequestEvidence = .init()
    ) async throws -> DecidedTerms {
        try await attempting(.policy) {
            let templates = self.templates
            let template = try self.policy.template(for: request.identification, in: templates)
            var question = self.question(
                about: request, template: template, among: templates, caller: caller, evidence: evidence)
            question.proposal = { [self] in
                try await self.proposal(
                    self.terms(request, row: row, template: template, caller: caller, evidence: evidence))
            }
            switch try await self.policy.evaluate(question) {
            case .deny(let refusal): throw refusal
            case .issue:
                return try await self.terms(
                    request, row: row, template: template, caller: caller, evidence: evidence)
            case .issueRestricted(let restrictions):
                let terms = try await self.terms(
                    request, row: row, template: template, caller: caller, evidence: evidence)
                return try terms.restricted(by: restrictions)
            case .pend:
                var terms = try await self.terms(
                    request, row: row, template: template, caller: caller, evidence: evidence)
                terms.issues = false
                return terms
            }
        }
    }

    /// The terms of a request that a certificate manager has approved: the manager's word replaces the policy's.
    func decideByManager(
        _ request: ReceivedRequest, row: RequestRecord, evidence: RequestEvidence = .init()
    ) async throws -> DecidedTerms {
        try await attempting(.policy) {
            let template = try self.policy.template(for: request.identification, in: self.templates)
            return try await self.terms(
                request, row: row, template: template, caller: Principal(name: row.requesterName, roles: []),
                evidence: evidence)
        }
    }

    private func question(
        about request: ReceivedRequest, template: CertificateTemplate, among templates: TemplateCatalog,
        caller: Principal, evidence: RequestEvidence
    ) -> PolicyQuestion {
        PolicyQuestion(
            caller: caller, template: template,
            subjectPublicKeyInfo: request.certificationRequest.subjectPublicKeyInfo,
            carriesPrivateKey: request.fullRequest?.encryptedKeyAttribute != nil || evidence.hasArchivedKey,
            now: self.surroundings.now(),
            caNotAfter: self.caCertificate.notAfter, signers: evidence.signers,
            renewedCertificate: evidence.renewedCertificate, onBehalfOf: evidence.onBehalfOf,
            requestDigest: request.certificationRequest.signatureAlgorithm.digest,
            isAutoenrollment: request.isAutoenrollment,
            supersededIdentifiers: Set(template.supersedes.compactMap { templates.template(named: $0)?.oid }))
    }

    private func terms(
        _ request: ReceivedRequest, row: RequestRecord, template: CertificateTemplate, caller: Principal,
        evidence: RequestEvidence
    ) async throws -> DecidedTerms {
        let attributes = AttributeChoices(
            RequestAttributes(row.attributes), settings: self.configuration.policy, now: self.surroundings.now())
        let requester = evidence.onBehalfOf ?? caller
        var template = template
        if let usages = try attributes.usages() {
            // Without a template there is nothing to choose from.
            if template.schemaVersion == 0 {
                template.extendedKeyUsages = usages
            } else {
                template.restrict(to: usages)
            }
        }
        let entry = template.needsDirectory ? try await self.directory.entry(for: requester.name) : nil
        let subject = try CertificateSubject.decide(
            .init(
                template: template, request: request, requester: requester, entry: entry,
                userPrincipalNameSuffix: self.configuration.userPrincipalNameSuffix,
                renewedCertificate: evidence.renewedCertificate, attributeNames: try attributes.alternativeNames()))
        return DecidedTerms(
            template: template, subject: subject,
            carried: self.policy.carriedExtensions(of: request.requestedExtensions, template: template),
            notAfterLimit: try attributes.notAfter())
    }

    private func proposal(_ terms: DecidedTerms) throws -> PolicyProposal {
        let validity = try self.issuer.validity(
            of: terms.template, now: self.surroundings.now(), configuration: self.configuration,
            limit: terms.notAfterLimit)
        return PolicyProposal(
            subject: DistinguishedNameText.text(
                of: try StrictDER.parse(
                    DistinguishedName.self, terms.subject.subjectDER, what: "subject")),
            alternativeNames: try terms.subject.alternativeNames.map(GeneralNameText.text(of:)),
            notBefore: validity.notBefore, notAfter: validity.notAfter)
    }
}

extension DecidedTerms {
    /// Less than the template gives.
    ///
    /// - Throws: ``PolicyModuleError`` when it would be more.
    fileprivate func restricted(by restrictions: CertificateRestrictions) throws -> DecidedTerms {
        var terms = self
        func remaining<T: Equatable>(_ chosen: [T]?, of given: [T], _ what: String) throws -> [T] {
            guard let chosen else { return given }
            guard chosen.allSatisfy(given.contains) else { throw PolicyModuleError.widens(what) }
            return chosen
        }
        if let limit = restrictions.notAfter {
            terms.notAfterLimit = min(limit, self.notAfterLimit ?? limit)
        }
        if let usages = restrictions.extendedKeyUsages {
            _ = try remaining(usages, of: self.template.extendedKeyUsages, "extended key usages")
            terms.template.restrict(to: usages)
        }
        terms.template.keyUsage = try remaining(restrictions.keyUsage, of: self.template.keyUsage, "key usage")
        let policies = try remaining(
            restrictions.issuancePolicies, of: self.template.issuancePolicies.map(\.oid), "certificate policies")
        terms.template.issuancePolicies = self.template.issuancePolicies.filter { policies.contains($0.oid) }
        let texts = try self.subject.alternativeNames.map(GeneralNameText.text(of:))
        let names = try remaining(restrictions.alternativeNames, of: texts, "alternative names")
        terms.subject.alternativeNames = zip(self.subject.alternativeNames, texts).filter { names.contains($0.1) }
            .map(\.0)
        return terms
    }
}

extension CertificateTemplate {
    /// Takes the other usages and application policies away.
    mutating func restrict(to usages: [ExtendedKeyPurpose]) {
        self.extendedKeyUsages = self.extendedKeyUsages.filter(usages.contains)
        self.applicationPolicies = self.applicationPolicies.map { $0.filter(usages.contains) }
    }
}

extension ReceivedRequest {
    var requestedExtensions: RequestedExtensions {
        RequestedExtensions(self.certificationRequest.requestedExtensions + (self.fullRequest?.addedExtensions ?? []))
    }

    /// True when the client says that it is an autoenrolment (1.3.6.1.4.1.311.21.20, client identifiers 2 and 6).
    var isAutoenrollment: Bool {
        self.certificationRequest.attributes.filter { $0.type == OID.msRequestClientInfo }.flatMap(\.values)
            // `try?`: what is no client information says nothing of the client.
            .contains { value in [2, 6].contains((try? ClientInformation.identifier(of: value)) ?? 0) }
    }
}

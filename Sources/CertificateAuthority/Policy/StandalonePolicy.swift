import PKIMessages
import SwiftASN1
import X509

/// The policy of a stand-alone CA (protocols.md 5.2): no templates, requested extensions by a list, and by default a
/// certificate manager looks at every request.
///
/// One template is known: who asks for a subordinate CA's certificate gets it by ``BuiltInTemplates/subordinateCA``.
package struct StandalonePolicy: PolicyModule {
    private let rules: EnterprisePolicy

    package init(disposition: PolicySettings.RequestDisposition = .pend) {
        self.rules = EnterprisePolicy(disposition: disposition)
    }

    /// What every certificate of this policy has in common. Its version 0 says that no template extension is written.
    package static let template = CertificateTemplate(
        name: "Standalone", displayName: "Stand-alone", oid: "\(BuiltInTemplates.arc).1000", schemaVersion: 0,
        majorVersion: 0, validity: .years(100), overlap: .weeks(0), subject: .fromRequest,
        // Not carried as it is: a requester must not choose an account.
        subjectAlternativeName: .fromRequest, keyUsage: [])

    package func template(
        for identification: TemplateIdentification, in catalog: TemplateCatalog
    ) throws -> CertificateTemplate {
        let name = BuiltInTemplates.subordinateCA.name
        guard identification.names.contains(where: { $0.lowercased() == name.lowercased() }) else {
            return StandalonePolicy.template
        }
        return catalog.template(named: name) ?? BuiltInTemplates.subordinateCA
    }

    package var isImmediate: Bool { true }

    package func evaluate(_ question: PolicyQuestion) async throws -> PolicyVerdict {
        try await self.rules.evaluate(question)
    }

    package func carriedExtensions(
        of requested: RequestedExtensions, template: CertificateTemplate
    ) -> RequestedExtensions {
        // A CA's key usage, usages and policies are its template's; limits of it may be asked for.
        let listed: Set<ASN1ObjectIdentifier> =
            template.certificationAuthority == nil
            ? CarriedExtensions.standalone.subtracting([OID.subjectAlternativeName])
            : CarriedExtensions.oids(for: template).union(CarriedExtensions.qualifiedSubordination)
        return requested.filtered(by: listed)
    }
}

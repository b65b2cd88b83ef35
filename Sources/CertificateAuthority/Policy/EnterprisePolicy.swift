import Foundation
import PKIMessages

/// The rules of an enterprise CA (protocols.md 5.2).
package struct EnterprisePolicy: PolicyModule {
    package init() {}

    package func evaluate(_ question: PolicyQuestion) throws -> PolicyVerdict {
        if let refusal = self.refusal(of: question) { return .deny(refusal) }
        return question.template.pendAll ? .pend : .issue
    }

    private func refusal(of question: PolicyQuestion) -> PolicyError? {
        let template = question.template
        guard template.isEnrollable(by: question.caller) else { return .templateDenied(template, question.caller) }
        switch (template.archival, question.carriesPrivateKey) {
        case (.required, false): return .archivedKeyRequired(template)
        case (.none, true): return .archivedKeyUnexpected(template)
        case (.required, true), (.none, false): break
        }
        let key = question.subjectPublicKeyInfo
        let minimum = key.isRSA ? template.minimumKeyBits.rsa : template.minimumKeyBits.ec
        guard key.keySizeBits >= minimum else {
            return .keyTooShort(bits: key.keySizeBits, minimum: minimum, template)
        }
        if !key.isRSA, !template.keyUsage.isEmpty, template.keyUsage.allSatisfy(\.needsEncryptingKey) {
            return .unsuitableKey("template \(template.name) is for key encipherment, and the key cannot encrypt")
        }
        guard question.caNotAfter.timeIntervalSince(question.now) >= template.overlap.timeInterval else {
            return .overlapTooLong(template)
        }
        return nil
    }
}

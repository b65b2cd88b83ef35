import CertificateAuthority
import Foundation
import Testing

@Suite struct TemplateFormTests {
    private static func decode(_ change: (inout [String: Any]) -> Void) throws -> CertificateTemplate {
        let data = try JSONEncoder().encode(BuiltInTemplates.webServer)
        var object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        change(&object)
        return try JSONDecoder().decode(
            CertificateTemplate.self, from: JSONSerialization.data(withJSONObject: object))
    }

    @Test("A file of the former form is read, with its permissions and criticality translated")
    func formerForm() throws {
        let template = try TemplateFormTests.decode { object in
            for key in object.keys
            where ![
                "name", "displayName", "oid", "schemaVersion", "majorVersion", "minorVersion", "validity", "overlap",
                "minimumKeyBits", "keyUsage", "extendedKeyUsages", "subject", "subjectAlternativeName", "pendAll",
                "archival",
            ].contains(key) {
                object[key] = nil
            }
            object["subject"] = "from-requester"
            object["subjectAlternativeName"] = "user-principal-name"
            object["keyUsageCritical"] = false
            object["enrollableBy"] = ["administrator", "EXAMPLE\\bob"]
        }
        #expect(template.subject == .built([.commonName]))
        #expect(template.subjectAlternativeName == .userPrincipalName)
        #expect(template.criticalExtensions.isEmpty)
        #expect(template.permissions == TemplatePermission.enrolment(["administrator", "EXAMPLE\\bob"]))
    }

    static let wrongSettings: [(@Sendable (inout [String: Any]) -> Void, String)] = [
        ({ $0["pendal"] = true }, "pendal"), ({ $0["enrollableBy"] = ["x"] }, "permissions says it already"),
        ({ $0["keyUsageCritical"] = true }, "criticalExtensions says it already"),
        ({ $0["schemaVersion"] = 9 }, "schemaVersion"), ({ $0["minorVersion"] = -1 }, "negative"),
        ({ $0["subject"] = "someone" }, "someone"),
        ({ $0["issuancePolicies"] = [["oid": "no"]] }, "no object identifier"),
        (
            { $0["issuancePolicies"] = [["oid": "1.2.3", "notice": String(repeating: "x", count: 201)]] },
            "200 characters"
        ),
        ({ $0["requiredSignatures"] = ["count": 99, "applicationPolicies": [], "issuancePolicies": []] }, "count"),
        ({ $0["permissions"] = [["principal": "x", "allow": ["read"], "alow": ["enroll"]]] }, "alow"),
        ({ $0["name"] = "../evil" }, "name"), ({ $0["certificationAuthority"] = ["pathLength": -1] }, "pathLength"),
    ]

    @Test(
        "A setting that is unknown, out of range or said twice is refused by its name", arguments: wrongSettings.indices
    )
    func faults(_ index: Int) {
        let (change, word) = TemplateFormTests.wrongSettings[index]
        do {
            _ = try TemplateFormTests.decode(change)
            Issue.record("fault \(index) was taken")
        } catch DecodingError.dataCorrupted(let context) {
            #expect(context.debugDescription.contains(word))
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test("Built-in templates have distinct names, identifiers below one arc, and settings that survive encoding")
    func builtIn() throws {
        #expect(BuiltInTemplates.all.count >= 15)
        _ = try TemplateCatalog(BuiltInTemplates.all)
        for template in BuiltInTemplates.all {
            #expect(template.oid.hasPrefix("1.3.6.1.4.1.311.21.8."))
            let data = try JSONEncoder().encode(template)
            #expect(try JSONDecoder().decode(CertificateTemplate.self, from: data) == template)
        }
    }
}

import CertificateAuthority
import TestSupport
import Testing

@testable import CAService

@Suite struct PolicyConfigurationTests {
    private static func read(_ more: String) throws -> InstanceConfiguration {
        try InstanceConfiguration(
            yaml: """
                version: 1
                name: CA
                type: root
                tokens: {ca: {module: /m.so, token: "pkcs11:token=x"}}
                keys: {signing-token: ca}
                web: {publication-url: "http://x"}
                \(more)
                """, file: "signet.yaml")
    }

    @Test("Without settings the enterprise module issues, takes no attributes, and no program is asked")
    func defaults() throws {
        let read = try Self.read("")
        #expect(read.policy == PolicyConfiguration())
        #expect(read.policy.policyModule() is EnterprisePolicy)
        #expect(read.policy.settings.requestDisposition == .issue)
        #expect(read.lint == LintConfiguration())
    }

    @Test("The stand-alone module lets requests wait unless told otherwise")
    func standalone() throws {
        let read = try Self.read("policy: {module: stand-alone}")
        #expect(read.policy.policyModule() is StandalonePolicy)
        #expect(read.policy.settings.requestDisposition == .pend)
        #expect(read.policy.settings.takesAttributeUsage)
        #expect(
            try Self.read("policy: {module: stand-alone, request-disposition: issue}").policy.settings
                .requestDisposition == .issue)
    }

    @Test("All settings are written as they are read")
    func written() throws {
        var read = try Self.read(
            """
            policy:
              module: stand-alone
              request-disposition: deny
              take-attribute-validity: true
              take-attribute-names: true
              program: {path: /bin/true, arguments: [a, "b c"], deadline-seconds: 3, may-issue-pending: true}
            lint: {minimum-rsa-exponent: 3, close-prime-rounds: 5, tolerate: [rsa-roca], weak-key-lists: weak.txt}
            """)
        #expect(read.policy.policyModule() is ProgramPolicy)
        #expect(read.policy.program?.arguments == ["a", "b c"])
        #expect(read.lint.settings.tolerated == ["rsa-roca"])
        #expect(read.lint.weakKeyLists == ["weak.txt"])
        let again = try InstanceConfiguration(yaml: read.yamlText, file: "signet.yaml")
        #expect(again.policy == read.policy)
        #expect(again.lint == read.lint)
        read.policy.program = nil
        #expect(try InstanceConfiguration(yaml: read.yamlText, file: "signet.yaml").policy == read.policy)
    }

    @Test(
        "What cannot be is refused",
        arguments: [
            "policy: {modul: enterprise}", "policy: {module: directory}", "policy: {program: {path: relative}}",
            "policy: {program: {path: /x, deadline-seconds: 0}}", "lint: {minimum-rsa-exponent: 1}",
            "lint: {off: true}",
            "policy: {request-disposition: maybe}",
        ])
    func refused(_ text: String) {
        #expect(throws: ServiceError.invalid("", "", "")) { try Self.read(text) }
    }

    @Test("A weak key list is found in the instance, and its wrong line is named")
    func weakKeys() throws {
        let directory = try TemporaryDirectory()
        var lint = LintConfiguration()
        lint.weakKeyLists = ["weak.txt"]
        try directory.write("weak.txt", Array("00112233445566778899\n".utf8))
        #expect(try lint.weakKeys(in: directory.path).count == 1)
        try directory.write("weak.txt", Array("00112233445566778899\nwrong\n".utf8))
        let error = #expect(throws: ServiceError.self) { try lint.weakKeys(in: directory.path) }
        #expect(error?.headline.contains("line 2") == true)
    }
}

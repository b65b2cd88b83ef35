import Foundation
import TestSupport
import Testing

/// `signet template` on an instance that an operator made.
@Suite struct TemplateAdministrationTests {
    @Test("Templates are shown, copied, changed with a new version, enabled, compared and checked")
    func life() async throws {
        let site = try Site.empty()
        try await site.makeRoot()
        func template(_ arguments: String...) async throws -> ToolResult {
            try await run(
                [Programs.signet, "template", arguments[0], "--instance", site.path("root")] + arguments.dropFirst())
        }
        let list = try await template("list").text
        #expect(list.contains("CodeSigning") && list.contains("OCSPResponseSigning"))

        // A copy, changed, and enabled.
        #expect(try await template("new", "Intranet", "--from", "WebServer", "--set", "validity=1 year").status == 0)
        let edited = try await template(
            "edit", "Intranet", "--set", "minimumKeyBits.rsa=3072", "--set",
            "permissions=[{principal: Web Team, allow: [read, enroll]}]")
        #expect(edited.text.contains("version 100.1"))
        #expect(edited.text.contains("minimumKeyBits.rsa: 2048 -> 3072"))
        #expect(
            try await template("edit", "Intranet", "--major", "--set", "pendAll=true").text.contains("version 101.0"))
        #expect(try await template("edit", "Intranet", "--set", "pendAll=true").text.contains("unchanged"))
        let refused = try await template("edit", "Intranet", "--set", "pendal=true")
        #expect(refused.status == 1)
        #expect(refused.stderr.contains("pendal"))
        #expect(try await template("enable", "Intranet").text.contains("Intranet"))
        let unknown = try await template("enable", "Nowhere")
        #expect(unknown.status == 1)
        #expect(unknown.stderr.contains("0x80094813"))

        // A request by it waits, and by one that is not enabled is refused.
        let difference = try await template("diff", "Intranet", "WebServer")
        #expect(difference.status == 1)
        #expect(
            difference.text.contains("minimumKeyBits.rsa: 2048 -> 3072") || difference.text.contains("3072 -> 2048"))
        #expect(try await template("diff", "CodeSigning").status == 0)

        // Bits go out and come back.
        let bits = try await template("show", "Intranet", "--bits").text
        #expect(bits.contains("msPKI-Enrollment-Flag: 2"))
        let file = try site.directory.write(
            "bits.ldif", Array(bits.replacingOccurrences(of: "21.8.", with: "21.8.9.").utf8))
        #expect(try await template("new", "Copy", "--from-bits", file).status == 0)
        #expect(try await template("show", "Copy").text.contains("pendAll: true"))

        // Each change is in the audit trail.
        let audit = try await site.operate("audit", "show", "--instance", site.path("root")).text
        #expect(audit.contains(" 4899 ") && audit.contains(" 796 ") && audit.contains("Property=Templates"))
        try await site.operate("audit", "verify", "--instance", site.path("root"))

        let check = try await template("check")
        #expect(check.status == 2)
        #expect(check.text.contains("[archival-without-agent]"))
        #expect(check.text.contains("signet kra enroll"))
        #expect(try await template("disable", "User", "KeyRecoveryAgent").status == 0)
        #expect(try await template("check").status == 0)
    }

    @Test("Without --set the operator's editor changes the template")
    func editor() async throws {
        let site = try Site.empty()
        try await site.makeRoot()
        let script = try site.directory.write(
            "editor.sh", Array("#!/bin/sh\nsed -i 's/^pendAll: false/pendAll: true/' \"$1\"\n".utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
        let result = try await run(
            [Programs.signet, "template", "edit", "WebServer", "--instance", site.path("root")],
            environment: ["EDITOR": "sh \(script)"])
        #expect(result.text.contains("pendAll: false -> true"))
        #expect(result.text.contains("version 4.2"))
    }
}

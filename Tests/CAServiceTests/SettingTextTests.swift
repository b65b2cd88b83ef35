import Diagnostics
import Testing

@testable import CAService

@Suite("Settings changed in signet.yaml")
struct SettingTextTests {
    private static let text = """
        # The CA.
        name: Example
        crl:
          # How long a list counts.
          period-days: 7   # a week
          urls:
            - http://a
        web: {host: a}

        """

    private func change(_ section: String, _ key: String, _ value: String?) throws -> String {
        try SettingText.changing(SettingPath(section, key), to: value, in: Self.text, file: "signet.yaml")
    }

    @Test("A value is replaced, and nothing else changes")
    func replaced() throws {
        #expect(
            try self.change("crl", "period-days", "14")
                == Self.text.replacing("period-days: 7   # a week", with: "period-days: 14"))
    }

    @Test("A value that stood there nowhere is put into its section, and a section that is not there at the end")
    func added() throws {
        #expect(
            try self.change("crl", "keep-expired", "true")
                == Self.text.replacing("crl:\n", with: "crl:\n  keep-expired: true\n"))
        #expect(
            try self.change("exchange", "require-template", "true")
                == Self.text + "\nexchange:\n  require-template: true\n")
    }

    @Test("A value that is taken away leaves its line away")
    func removed() throws {
        #expect(
            try self.change("crl", "period-days", nil)
                == Self.text.replacing("  period-days: 7   # a week\n", with: ""))
        #expect(try self.change("crl", "shards", nil) == Self.text)
    }

    @Test("What stands on one line with others, on several lines, or would become several, is refused")
    func refused() {
        for (section, key, value) in [("web", "host", "b"), ("crl", "urls", "x"), ("crl", "shards", "1\nname: x")] {
            #expect(throws: ServiceError.invalid("", "", "")) { try self.change(section, key, value) }
        }
    }
}

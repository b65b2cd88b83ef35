import CertificateAuthority

/// `events:` of `signet.yaml`: where events go beside the database.
package struct EventSettings: Sendable, Equatable {
    package var standardError: Bool
    /// Path, relative to the instance.
    package var file: String?
    /// Path of journald's socket.
    package var journald: String?
    /// Path of syslog's socket.
    package var syslog: String?

    package init(
        standardError: Bool = false, file: String? = nil, journald: String? = nil, syslog: String? = nil
    ) {
        self.standardError = standardError
        self.file = file
        self.journald = journald
        self.syslog = syslog
    }

    init(yaml: YAMLMapping?) throws {
        self.init(
            standardError: try yaml?.boolean("standard-error", default: false) ?? false,
            file: try yaml?.optionalText("file"), journald: try yaml?.optionalText("journald"),
            syslog: try yaml?.optionalText("syslog"))
        try yaml?.finish()
    }

    var yamlText: String {
        var lines = ["events:", "  standard-error: \(self.standardError)"]
        lines.append(self.file.map { "  file: \(YAMLText.quoted($0))" } ?? "  # file: events.log")
        lines.append(
            self.journald.map { "  journald: \(YAMLText.quoted($0))" } ?? "  # journald: /run/systemd/journal/socket")
        lines.append(self.syslog.map { "  syslog: \(YAMLText.quoted($0))" } ?? "  # syslog: /dev/log")
        return lines.joined(separator: "\n")
    }

    func sinks(directory: String) -> [any EventSink] {
        var sinks: [any EventSink] = []
        if self.standardError { sinks.append(StandardErrorSink()) }
        if let file = self.file { sinks.append(FileSink(path: FilePaths.resolve(file, in: directory))) }
        if let journald = self.journald { sinks.append(JournalSink(path: journald)) }
        if let syslog = self.syslog { sinks.append(SyslogSink(path: syslog, host: SystemAccount.hostName)) }
        return sinks
    }
}

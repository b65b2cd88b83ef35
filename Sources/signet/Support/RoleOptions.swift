import ArgumentParser
import CertificateAuthority

/// `--role NAME`, repeated.
struct RoleOptions: ParsableArguments {
    @Option(
        name: .long,
        help: "enrollee, reader, certificate-manager, auditor, backup-operator or administrator. May be repeated.")
    var role: [String] = []

    /// - Throws: a usage error for a word that is no role.
    func roles() throws -> Set<Role> {
        try Set(
            self.role.map { text in
                guard let role = Role(rawValue: text) else { throw ValidationError("There is no role \"\(text)\".") }
                return role
            })
    }
}

extension Set<Role> {
    var text: String { self.isEmpty ? "-" : self.map(\.rawValue).sorted().joined(separator: ", ") }
}

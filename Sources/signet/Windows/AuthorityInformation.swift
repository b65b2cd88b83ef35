import CAService
import CertificateAuthority
import Foundation
import KeyArchival
import PKIMessages

/// What `certutil -cainfo` tells, with the names and numbers of the CA's properties (MS-WCCE, section 3.2.1.4.3.2).
struct AuthorityInformation {
    struct Item: Sendable {
        let name: String
        let lines: @Sendable (AuthorityInformation) -> [String]
    }

    private let instance: Instance
    private let certificates: [CACertificateRecord]
    private let agents: [KRAStatus]
    private let agentCount: Int
    private let isRoleSeparated: Bool
    private let host: String

    init(_ instance: Instance) async throws {
        self.instance = instance
        self.host = ProcessInfo.processInfo.hostName
        (self.certificates, self.isRoleSeparated) = try await instance.storage.read {
            (try $0.ownCACertificates(), try $0.isRoleSeparationEnforced())
        }
        let authority = try await instance.authority(for: .records)
        (self.agents, self.agentCount, _) = try await authority.archivalState(for: authority.localOperator())
    }

    func lines(_ name: String) -> [String] {
        AuthorityInformation.items.first { $0.name == name }?.lines(self) ?? []
    }

    static let items: [Item] = [
        Item(name: "file") { _ in ["File version: \(CAServiceVersion.text)"] },
        Item(name: "product") { _ in ["Product version: \(CAServiceVersion.text)"] },
        Item(name: "exitcount") { _ in ["Exit module count: 0"] },
        Item(name: "name") { ["CA name: \($0.instance.configuration.name)"] },
        Item(name: "sanitizedname") { ["Sanitized CA name: \(CAName.sanitized($0.instance.configuration.name))"] },
        Item(name: "dsname") {
            ["Sanitized CA short name (DS name): \(CAName.truncated($0.instance.configuration.name))"]
        },
        Item(name: "type") { $0.type },
        Item(name: "certcount") { ["CA cert count: \($0.certificates.count)"] },
        Item(name: "kracount") { ["KRA cert count: \($0.agents.count)"] },
        Item(name: "kraused") { ["KRA cert used count: \($0.agents.isEmpty ? 0 : $0.agentCount)"] },
        Item(name: "krastate") { information in
            information.agents.map { agent in
                "KRA cert[\(agent.index)]: \(agent.state.rawValue) -- \(agent.failedCheck ?? "Valid")"
            }
        },
        Item(name: "certstate") { information in
            information.certificates.map { "CA cert[\($0.index)]: \(information.state($0))" }
        },
        Item(name: "dns") { ["DNS Name: \($0.host)"] },
        Item(name: "role") { ["Role Separation: \($0.isRoleSeparated ? 1 : 0)"] },
        Item(name: "ads") { _ in ["Advanced Server: 1"] },
    ]

    private var type: [String] {
        let isRoot = self.instance.configuration.type == .root
        let isEnterprise = self.instance.configuration.policy.module == .enterprise
        let (number, name, constant) =
            switch (isEnterprise, isRoot) {
            case (true, true): (0, "Enterprise Root CA", "ENUM_ENTERPRISE_ROOTCA")
            case (true, false): (1, "Enterprise Subordinate CA", "ENUM_ENTERPRISE_SUBCA")
            case (false, true): (3, "Stand-alone Root CA", "ENUM_STANDALONE_ROOTCA")
            case (false, false): (4, "Stand-alone Subordinate CA", "ENUM_STANDALONE_SUBCA")
            }
        return ["CA type: \(number) -- \(name)", "    \(constant) -- \(number)"]
    }

    private func state(_ record: CACertificateRecord) -> String {
        // `try?`: the database has only certificates that were read before.
        guard let certificate = try? CertificateFields(derEncoded: record.certificateDER) else { return "1 -- Error" }
        let now = self.instance.surroundings.now()
        return certificate.notBefore <= now && now <= certificate.notAfter ? "3 -- Valid" : "4 -- Invalid"
    }
}

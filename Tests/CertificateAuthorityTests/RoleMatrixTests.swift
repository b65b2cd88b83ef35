import CertificateAuthority
import Diagnostics
import Testing

@Suite("Roles and operations")
struct RoleMatrixTests {
    /// Written out by hand, so that a change of the table in the code has to be made here, too.
    private static let allowed: [CAOperation: Set<Role>] = [
        .enroll: [.enrollee, .administrator],
        .readRequests: [.reader, .certificateManager, .administrator, .auditor],
        .getExchangeCertificate: [.enrollee, .reader, .certificateManager, .administrator],
        .readConfiguration: [.reader, .certificateManager, .administrator, .auditor, .backupOperator],
        .readPermissions: [.reader, .certificateManager, .administrator, .auditor],
        .manageWebServer: [.administrator], .signAuditHead: [.auditor, .administrator],
        .approveRequest: [.certificateManager], .denyRequest: [.certificateManager],
        .resubmitRequest: [.certificateManager], .setRequestAttributes: [.certificateManager],
        .setRequestExtension: [.certificateManager], .revokeCertificate: [.certificateManager],
        .retrieveArchivedKey: [.certificateManager], .approveKeyRelease: [.certificateManager],
        .importArchivedKey: [.certificateManager],
        .importCertificate: [.certificateManager],
        .configure: [.administrator], .changePermissions: [.administrator], .restrictManagers: [.administrator],
        .manageTemplates: [.administrator], .manageRecoveryAgents: [.administrator],
        .manageCACertificates: [.administrator], .publishCRL: [.administrator],
        .resubmitDeniedRequest: [.administrator], .releaseKey: [.administrator],
        .deleteRows: [], .backUp: [.backupOperator], .restore: [.backupOperator],
        .changeAuditFilter: [.auditor, .administrator], .readAudit: [.auditor, .administrator],
        .setRoleSeparation: [], .openArchivedKey: [],
    ]

    private static let separated: Set<Role> = [.administrator, .certificateManager, .auditor, .backupOperator]

    static let pairs = CAOperation.allCases.flatMap { operation in Role.allCases.map { (operation, $0) } }

    private func code(_ operation: CAOperation, _ roles: Set<Role>, separation: Bool) -> HRESULT? {
        let principal = Principal(name: "EXAMPLE\\someone", roles: roles, isRoleSeparationEnforced: separation)
        do {
            try principal.mustBeAllowed(operation, to: "test")
            return nil
        } catch {
            return (error as? RequestError)?.hresult
        }
    }

    @Test("One role may do what the table says and nothing else, with separation off and on", arguments: pairs)
    func single(_ operation: CAOperation, _ role: Role) throws {
        let mayWithOne = try #require(RoleMatrixTests.allowed[operation]).contains(role)
        for separation in [false, true] {
            #expect(self.code(operation, [role], separation: separation) == (mayWithOne ? nil : .accessDenied))
        }
    }

    @Test("Two roles add up with separation off; two separated ones are a conflict with it on", arguments: pairs)
    func two(_ operation: CAOperation, _ role: Role) throws {
        let table = try #require(RoleMatrixTests.allowed[operation])
        for other in Role.allCases where other != role {
            let both: Set<Role> = [role, other]
            let may =
                operation == .deleteRows
                ? both == [.administrator, .certificateManager] : !table.isDisjoint(with: both)
            #expect(self.code(operation, both, separation: false) == (may ? nil : .accessDenied))

            let isConflict = both.isSubset(of: RoleMatrixTests.separated)
            let isOfSeparatedRoles =
                operation == .deleteRows || !table.isDisjoint(with: RoleMatrixTests.separated)
            #expect(
                self.code(operation, both, separation: true)
                    == (isConflict && isOfSeparatedRoles ? .roleConflict : may ? nil : .accessDenied))
        }
    }

    @Test("A conflict takes away the separated roles only: what another role allows stays allowed")
    func conflictKeepsOtherRoles() {
        let roles: Set<Role> = [.administrator, .auditor, .enrollee, .reader]
        #expect(self.code(.enroll, roles, separation: true) == nil)
        #expect(self.code(.readRequests, roles, separation: true) == nil)
        #expect(self.code(.readAudit, roles, separation: true) == .roleConflict)
        #expect(self.code(.revokeCertificate, roles, separation: true) == .roleConflict)
    }

    @Test("Only the owner of the instance sets role separation, and may always give roles")
    func owner() {
        for separation in [false, true] {
            let owner = Principal(
                name: "HOST\\root", roles: Set(Role.allCases), isInstanceOwner: true,
                isRoleSeparationEnforced: separation)
            #expect(owner.isAllowed(.setRoleSeparation))
            #expect(owner.isAllowed(.changePermissions) && owner.isAllowed(.readPermissions))
            #expect(owner.verdict(on: .configure) == (separation ? .roleConflict : .allowed))
            #expect(!owner.isAllowed(.openArchivedKey))
        }
    }

    @Test("The errors carry the texts of Certificate Services")
    func texts() {
        #expect(
            HRESULT.roleConflict.text
                == "The operation is denied. The user has multiple roles assigned and the certification authority is "
                + "configured to enforce role separation.")
        #expect(HRESULT.roleConflict.description == "0x80094008")
    }

    @Test("The printed matrix has every operation once, and says what separation makes impossible")
    func matrix() {
        let matrix = RoleMatrix.current
        #expect(matrix.operations.map(\.operation) == CAOperation.allCases.map(\.rawValue))
        #expect(matrix.operations.filter { !$0.possibleUnderSeparation }.map(\.operation) == ["delete-rows"])
    }
}

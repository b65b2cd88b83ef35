import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import SQLiteStorage
import SwiftASN1
import Testing
import X509

@Suite("The queue of requests")
struct QueueTests {
    private func pend(_ fixture: CAFixture, attributes: String = "") async throws -> Int64 {
        try await fixture.submit(
            Requester(.rsa(bits: 2048)).certificationRequest(subject: "CN=KRA", template: "KeyRecoveryAgent"),
            attributes: attributes
        ).requestID
    }

    @Test("A pending request that a manager resubmits is issued and says who did it; twice is 0x80094003")
    func resubmitPending() async throws {
        let fixture = try await CAFixture()
        let requestID = try await self.pend(fixture)
        let issued = try await fixture.authority.resubmit(request: requestID, by: CAFixture.manager)
        #expect(issued.disposition == .issued)
        #expect(issued.dispositionMessage == "Resubmitted by EXAMPLE\\manager")
        #expect(try await fixture.row(requestID)?.officerName == "EXAMPLE\\manager")
        let error = await #expect(throws: RequestError.self) {
            try await fixture.authority.resubmit(request: requestID, by: CAFixture.manager)
        }
        #expect(error?.hresult == HRESULT(rawValue: 0x8009_4003))
    }

    @Test("Only an administrator resubmits a denied request, and policy is asked again")
    func resubmitDenied() async throws {
        let fixture = try await CAFixture()
        let requestID = try await self.pend(fixture)
        _ = try await fixture.authority.deny(request: requestID, by: CAFixture.manager)
        await #expect(throws: RequestError.self) {
            try await fixture.authority.resubmit(request: requestID, by: CAFixture.manager)
        }
        let issued = try await fixture.authority.resubmit(request: requestID, by: CAFixture.administrator)
        #expect(issued.disposition == .issued)
        #expect(issued.dispositionMessage == "Resubmitted by EXAMPLE\\admin")

        let refused = try await fixture.submit(Requester().certificationRequest(template: "SubCA"))
        #expect(refused.disposition == .denied)
        let again = try await fixture.authority.resubmit(request: refused.requestID, by: CAFixture.administrator)
        #expect(again.disposition == .denied)
        #expect(again.statusCode == .templateDenied)
        #expect(try await fixture.auditEvents().suffix(2).map(\.id) == [.requestResubmitted, .policyDenied])
    }

    @Test("No key is archived on resubmission: a denied request that needs one stays denied with 0x80094804")
    func resubmitWithoutKey() async throws {
        let archiver = RecordingArchiver(
            failingWith: PKIMessageError.decryptionFailed("encrypted key"))
        let fixture = try await CAFixture(archiver: archiver)
        let failed = try await fixture.submit(
            Requester().fullRequest(template: "User", encryptedKey: Requester.encryptedKey()))
        #expect(failed.disposition == .error)
        await #expect(throws: RequestError.self) {
            try await fixture.authority.resubmit(request: failed.requestID, by: CAFixture.administrator)
        }
        var pending = BuiltInTemplates.user
        pending.pendAll = true
        let held = try await CAFixture(archiver: RecordingArchiver(), templates: [pending])
        let waiting = try await held.submit(
            Requester().fullRequest(template: "User", encryptedKey: Requester.encryptedKey()))
        #expect(waiting.disposition == .pending)
        _ = try await held.authority.deny(request: waiting.requestID, by: CAFixture.manager)
        // Its key was archived when it was taken under submission and stands in its row.
        #expect(
            try await held.authority.resubmit(request: waiting.requestID, by: CAFixture.administrator).disposition
                == .issued)

        let denied = try await held.submit(Requester().certificationRequest(template: "User"))
        #expect(denied.statusCode == .archivedKeyRequired)
        let again = try await held.authority.resubmit(request: denied.requestID, by: CAFixture.administrator)
        #expect(again.disposition == .denied)
        #expect(again.statusCode == .archivedKeyRequired)
    }

    @Test("A manager changes attributes while a request is pending: event 778, names compared as on receipt")
    func attributes() async throws {
        let fixture = try await CAFixture()
        let requestID = try await self.pend(
            fixture, attributes: "Department:Sales\nCertificateTemplate:KeyRecoveryAgent")
        await #expect(throws: RequestError.self) {
            try await fixture.authority.setAttributes("Department:X", ofRequest: requestID, by: CAFixture.alice)
        }
        try await fixture.authority.setAttributes(
            "depart-ment: Keys\r\nRoom:7", ofRequest: requestID, by: CAFixture.manager)
        #expect(
            try await fixture.row(requestID)?.attributes
                == "CertificateTemplate:KeyRecoveryAgent\ndepart-ment: Keys\nRoom:7")
        let event = try #require(try await fixture.auditEvents().last)
        #expect(event.id.rawValue == 778)
        #expect(event.details["Request ID"] == "\(requestID)")
        let empty = await #expect(throws: RequestError.self) {
            try await fixture.authority.setAttributes("nothing", ofRequest: requestID, by: CAFixture.manager)
        }
        #expect(empty?.hresult == .invalidParameter)
        _ = try await fixture.authority.approve(request: requestID, by: CAFixture.manager)
        let late = await #expect(throws: RequestError.self) {
            try await fixture.authority.setAttributes("Room:8", ofRequest: requestID, by: CAFixture.manager)
        }
        #expect(late?.hresult == HRESULT(rawValue: 0x8009_4003))
    }

    @Test("An extension that a manager sets stands in the certificate in the place of the template's: event 777")
    func extensions() async throws {
        let fixture = try await CAFixture()
        let requestID = try await self.pend(fixture)
        let authority = fixture.authority
        let usage = try ExtensionEncoding.extendedKeyUsage([OID.emailProtection])
        try await authority.setExtension(
            RequestExtension(oid: "2.5.29.37", isCritical: true, value: Array(usage.value)), ofRequest: requestID,
            by: CAFixture.manager)
        try await authority.setExtension(
            RequestExtension(oid: "1.3.6.1.4.1.311.21.10", isCritical: false, value: nil), ofRequest: requestID,
            by: CAFixture.manager)
        try await authority.setExtension(
            RequestExtension(oid: "1.2.3.4", isCritical: false, value: [0x05, 0x00]), ofRequest: requestID,
            by: CAFixture.manager)
        #expect(try await fixture.auditEvents().suffix(3).map(\.id.rawValue) == [777, 777, 777])
        let issued = try await authority.approve(request: requestID, by: CAFixture.manager)
        let fields = try CertificateFields(derEncoded: issued.certificateDER ?? [])
        #expect(fields.extendedKeyUsages == [OID.emailProtection])
        let known = ExtensionDecoding(fields.extensions)
        #expect(known[OID.extendedKeyUsage]?.critical == true)
        #expect(known[OID.msApplicationPolicies] == nil)
        #expect(known[[1, 2, 3, 4]].map { Array($0.value) } == [0x05, 0x00])
    }

    @Test(
        "A manager cannot set what the CA says itself, and no value that is not DER",
        arguments: [
            ("2.5.29.19", [0x30, 0x03, 0x01, 0x01, 0xFF]), ("2.5.29.35", [0x05, 0x00]), ("no.oid", [0x05, 0x00]),
            ("1.2.3.4", [0x05, 0x01]), ("1.2.3.4", [0x05, 0x00, 0x00]),
        ] as [(String, [UInt8])])
    func refusedExtensions(oid: String, value: [UInt8]) async throws {
        let fixture = try await CAFixture()
        let requestID = try await self.pend(fixture)
        await #expect(throws: (any Error).self) {
            try await fixture.authority.setExtension(
                RequestExtension(oid: oid, isCritical: false, value: value), ofRequest: requestID,
                by: CAFixture.manager)
        }
        #expect(try await fixture.storage.read { try $0.extensions(ofRequest: requestID) }.isEmpty)
    }

    @Test("A key usage that signs certificates is refused when the certificate is made, and the request stays pending")
    func noCertificateAuthorityByExtension() async throws {
        let fixture = try await CAFixture()
        let requestID = try await self.pend(fixture)
        let usage = try ExtensionEncoding.keyUsage(KeyUsage(keyCertSign: true))
        try await fixture.authority.setExtension(
            RequestExtension(oid: "2.5.29.15", isCritical: true, value: Array(usage.value)), ofRequest: requestID,
            by: CAFixture.manager)
        let result = try await fixture.authority.approve(request: requestID, by: CAFixture.manager)
        #expect(result.disposition == .pending)
        #expect(result.failure != nil)
        #expect(result.certificateDER == nil)
    }

    @Test("An approval that a crash interrupts leaves the request pending, at whichever step")
    func interruptedApproval() async throws {
        let fixture = try await CAFixture()
        for step in 2...6 {
            for moment in FaultPlan.Moment.allCases {
                let requestID = try await self.pend(fixture)
                fixture.plan.arm(stopAt: step, moment)
                // `try?`: the machine has stopped, and its last words do not matter.
                _ = try? await fixture.authority.approve(request: requestID, by: CAFixture.manager)
                fixture.plan.arm(stopAt: nil, .before)
                _ = try await fixture.restarted().settleInterruptedWork()
                let row = try #require(try await fixture.row(requestID))
                #expect(row.disposition == .pending || row.disposition == .issued, "step \(step) \(moment)")
                if row.disposition == .pending {
                    let result = try await fixture.restarted().approve(request: requestID, by: CAFixture.manager)
                    #expect(result.disposition == .issued)
                }
            }
        }
        #expect(try await fixture.auditChainVerifies())
    }
}

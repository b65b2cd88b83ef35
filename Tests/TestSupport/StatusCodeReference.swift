package import Diagnostics

/// The status codes that the documents of Certificate Services name or that this CA gives, each with the text of Windows
/// and with the suite whose tests produce it.
///
/// Each of those suites runs a proof for every row that names it and has none for another: see ``StatusCodeProofs``.
package struct StatusCodeReference: Sendable, CustomStringConvertible {
    package enum Suite: Sendable {
        /// `CertificateAuthorityTests`
        case authority
        /// `KeyArchivalTests`
        case archival
        /// `CAServiceTests`
        case service
        /// No part of this CA gives it; `StatusCodeTable` says why.
        case never
    }

    package let code: HRESULT
    /// The white papers' wording where they have it; otherwise that of MS-ERREF and the Windows headers.
    package let text: String
    package let suite: Suite

    package var description: String { self.code.description }

    private init(_ number: UInt32, _ suite: Suite, _ text: String) {
        (self.code, self.suite, self.text) = (HRESULT(rawValue: number), suite, text)
    }

    package static func rows(of suite: Suite) -> [StatusCodeReference] { self.all.filter { $0.suite == suite } }

    package static let all: [StatusCodeReference] = general + requests + templates + cards

    private static let general =
        [
            .init(0x8002_802C, .archival, "Ambiguous name."),
            .init(0x8007_0002, .service, "The system cannot find the file specified."),
            .init(0x8007_0005, .authority, "Access is denied."),
            .init(0x8007_000D, .authority, "The data is invalid."),
            .init(0x8007_001D, .service, "The system cannot write to the specified device."),
            .init(0x8007_0057, .authority, "The parameter is incorrect."),
            .init(0x8007_010B, .service, "The directory name is invalid."),
            .init(
                0x8007_03E3, .authority,
                "The I/O operation has been aborted because of either a thread exit or an application request."),
            .init(0x8007_1392, .service, "The object already exists."),
            .init(0x8009_0006, .authority, "Invalid Signature."),
            .init(0x8009_0009, .never, "Invalid flags specified."),
            .init(0x8009_000B, .authority, "Key not valid for use in specified state."),
            .init(0x8009_0011, .authority, "Object was not found."),
            .init(0x8009_0016, .service, "Keyset does not exist."),
            .init(0x8009_0019, .never, "The keyset is not defined."),
            .init(0x8009_1004, .authority, "Invalid cryptographic message type."),
            .init(0x8009_1007, .authority, "The hash value is not correct."),
            .init(0x8009_2004, .archival, "Cannot find object or property."),
            .init(0x8009_2009, .service, "Cannot find the requested object."),
            .init(
                0x8009_200E, .authority,
                "The signed cryptographic message does not have a signer for the specified signer index."),
            .init(0x8009_2010, .authority, "The certificate is revoked."),
            .init(
                0x8009_2013, .authority,
                "The revocation function was unable to check revocation because the revocation server was "
                    + "offline."),
        ] as [StatusCodeReference]

    private static let requests =
        [
            .init(0x8009_4001, .authority, "The request subject name is invalid or too long."),
            .init(0x8009_4002, .never, "The request does not exist."),
            .init(0x8009_4003, .authority, "The request's current status does not allow this operation."),
            .init(0x8009_4004, .authority, "The requested property value is empty."),
            .init(0x8009_4005, .authority, "The certification authority's certificate contains invalid data."),
            .init(0x8009_4006, .service, "Certificate service has been suspended for a database restore operation."),
            .init(
                0x8009_4007, .never,
                "The certificate contains an encoded length that is potentially incompatible with older "
                    + "enrollment software."),
            .init(
                0x8009_4008, .authority,
                "The operation is denied. The user has multiple roles assigned and the certification authority "
                    + "is configured to enforce role separation."),
            .init(
                0x8009_4009, .authority,
                "The operation is denied. It can only be performed by a certificate manager that is allowed to "
                    + "manage certificates for the current requester."),
            .init(
                0x8009_400A, .authority,
                "Cannot archive private key. The certification authority is not configured for key archival."),
            .init(
                0x8009_400B, .archival,
                "Cannot archive private key. No valid key recovery agent is defined for this certification "
                    + "authority."),
            .init(
                0x8009_400C, .authority,
                "The request is incorrectly formatted. The encrypted private key must be in an unauthenticated "
                    + "attribute in an outermost signature."),
            .init(0x8009_400E, .authority, "The request contains an invalid renewal certificate attribute."),
            .init(
                0x8009_4011, .authority,
                "The permissions on this certification authority do not allow the current user to enroll for "
                    + "certificates."),
            .init(
                0x8009_4012, .authority,
                "The permissions on the certificate template do not allow the current user to enroll for this "
                    + "type of certificate."),
            .init(0x8009_4014, .authority, "The request was denied by a certificate manager or CA administrator."),
        ] as [StatusCodeReference]

    private static let templates =
        [
            .init(0x8009_4800, .authority, "The requested certificate template is not supported by this CA."),
            .init(0x8009_4801, .authority, "The request contains no certificate template information."),
            .init(0x8009_4802, .authority, "The request contains conflicting template information."),
            .init(0x8009_4803, .authority, "The request is missing a required Subject Alternate name extension."),
            .init(0x8009_4804, .authority, "The request is missing a required private key for archival by the server."),
            .init(
                0x8009_4806, .authority,
                "The request was made on behalf of a subject other than the caller. The certificate template "
                    + "must be configured to require at least one signature to authorize the request."),
            .init(
                0x8009_4807, .authority, "The request template version is newer than the supported template version."),
            .init(0x8009_4808, .authority, "The template is missing a required signature policy attribute."),
            .init(0x8009_4809, .authority, "The request is missing required signature policy information."),
            .init(0x8009_480A, .authority, "The request is missing one or more required signatures."),
            .init(
                0x8009_480B, .authority,
                "One or more signatures did not include the required application or issuance policies."),
            .init(0x8009_480C, .authority, "The request is missing one or more required signature issuance policies."),
            .init(0x8009_480D, .authority, "The UPN is unavailable and cannot be added to the Subject Alternate name."),
            .init(
                0x8009_480E, .authority,
                "The Active Directory GUID is unavailable and cannot be added to the Subject Alternate name."),
            .init(
                0x8009_480F, .authority,
                "The DNS name is unavailable and cannot be added to the Subject Alternate name."),
            .init(
                0x8009_4810, .authority,
                "The request includes a private key for archival by the server, but key archival is not enabled "
                    + "for the specified certificate template."),
            .init(
                0x8009_4811, .authority,
                "The public key does not meet the minimum size required by the specified certificate template."),
            .init(
                0x8009_4812, .authority,
                "The E-Mail name is unavailable and cannot be added to the Subject or Subject Alternate name."),
            .init(
                0x8009_4813, .service,
                "One or more certificate templates to be enabled on this certification authority could not be "
                    + "found."),
            .init(
                0x8009_4814, .authority,
                "The certificate template renewal period is longer than the certificate validity period. The "
                    + "template should be reconfigured or the CA certificate renewed."),
            .init(0x8009_5000, .service, "The key is not exportable."),
            .init(0x8009_5001, .never, "You cannot add the root CA certificate into your local store."),
            .init(0x8009_5002, .service, "The key archival hash attribute was not found in the response."),
            .init(0x8009_5003, .service, "An unexpected key archival hash attribute was found in the response."),
            .init(0x8009_5004, .service, "There is a key archival hash mismatch between the request and the response."),
            .init(0x8009_5005, .never, "Signing certificate cannot include SMIME extension."),
        ] as [StatusCodeReference]

    private static let cards =
        [
            .init(
                0x800B_0101, .authority,
                "A required certificate is not within its validity period when verifying against the current "
                    + "system clock or the timestamp in the signed file."),
            .init(
                0x800B_0107, .archival, "A parent of a given certificate in fact did not issue that child certificate."),
            .init(0x800B_010A, .authority, "A certificate chain could not be built to a trusted root authority."),
            .init(
                0x8010_000C, .service,
                "The operation requires a smart card, but no smart card is currently in the device."),
            .init(0x8010_0028, .service, "An attempt was made to write more data than would fit in the target object."),
            .init(0x8010_0030, .service, "The requested key container does not exist on the smart card."),
            .init(
                0x8010_0069, .service, "The smart card has been removed, so that further communication is not possible."
            ),
            .init(0x8010_006B, .service, "The card cannot be accessed because the wrong PIN was presented."),
            .init(
                0x8010_006C, .service,
                "The card cannot be accessed because the maximum number of PIN entry attempts has been reached."),
            .init(0x8010_006E, .service, "The action was cancelled by the user."),
        ] as [StatusCodeReference]
}

/// What produces the codes in one suite.
package struct StatusCodeProofs: Sendable {
    /// Gives the code that came out.
    package typealias Proof = @Sendable () async throws -> HRESULT?

    private let suite: StatusCodeReference.Suite
    private let proofs: [UInt32: Proof]

    package init(_ suite: StatusCodeReference.Suite, _ proofs: [UInt32: Proof]) {
        (self.suite, self.proofs) = (suite, proofs)
    }

    /// Rows without a proof, and proofs without a row: there must be neither.
    package var unmatched: Set<UInt32> {
        Set(StatusCodeReference.rows(of: self.suite).map(\.code.rawValue)).symmetricDifference(self.proofs.keys)
    }

    package func run(_ row: StatusCodeReference) async throws -> HRESULT? {
        try await self.proofs[row.code.rawValue]?()
    }

    /// The code of what a body throws.
    package static func thrown(_ body: () async throws -> Void) async -> HRESULT? {
        do {
            try await body()
            return nil
        } catch { return ErrorReport(error).hresult }
    }
}

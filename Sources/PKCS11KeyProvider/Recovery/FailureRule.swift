public import DeviceProfiles
public import Diagnostics
public import KeyProvider
internal import PKCS11

/// One line of the table that classes failures. The first rule that fits decides; those of the device profile come
/// before those of the specification.
struct FailureRule: Sendable {
    /// The C functions it is for; all when empty.
    var functions: Set<String> = []
    var values: Set<ReturnValue>
    var failureClass: FailureClass
}

extension FailureClass {
    /// The class of a failed call.
    ///
    /// - Parameters:
    ///   - returnValue: what the module answered.
    ///   - function: the C function, such as `C_Sign`.
    ///   - profile: the device's profile; without one only the specification counts.
    /// - Returns: ``FailureClass/ambiguous`` for a code that nothing is known of.
    public static func of(_ returnValue: ReturnValue, function: String, profile: DeviceProfile? = nil) -> FailureClass {
        let rules = (profile?.failureRules ?? []) + FailureRule.specification
        let rule = rules.first {
            $0.values.contains(returnValue) && ($0.functions.isEmpty || $0.functions.contains(function))
        }
        return rule?.failureClass ?? .ambiguous
    }

    static func of(_ error: PKCS11Error, profile: DeviceProfile) -> FailureClass {
        self.of(error.returnValue, function: error.function, profile: profile)
    }
}

extension FailureRule {
    static let writing: Set<String> = ["C_GenerateKeyPair", "C_GenerateKey", "C_CreateObject", "C_UnwrapKey"]

    /// PKCS #11 v2.40, section 5.1, as devices use it.
    static let specification: [FailureRule] = [
        FailureRule(
            values: [
                .sessionClosed, .sessionHandleInvalid, .operationActive, .operationNotInitialized,
                .cryptokiNotInitialized,
            ], failureClass: .sessionLost),
        FailureRule(
            values: [.keyHandleInvalid, .objectHandleInvalid, .unwrappingKeyHandleInvalid, .wrappingKeyHandleInvalid],
            failureClass: .sessionLost),
        FailureRule(
            values: [.deviceRemoved, .tokenNotPresent, .tokenNotRecognized, .slotIDInvalid], failureClass: .tokenGone),
        FailureRule(values: [.userNotLoggedIn], failureClass: .authLost),
        FailureRule(
            values: [
                .pinIncorrect, .pinInvalid, .pinLenRange, .pinExpired, .pinLocked, .newPINMode,
                .userPINNotInitialized, .userTypeInvalid, .userAnotherAlreadyLoggedIn, .userTooManyTypes,
            ],
            failureClass: .authBlocked),
        FailureRule(functions: FailureRule.writing, values: [.deviceMemory], failureClass: .capacity),
        FailureRule(values: [.sessionCount], failureClass: .capacity),
        // Modules say it of calls that write nothing, when the host has no memory.
        FailureRule(values: [.deviceMemory, .hostMemory], failureClass: .ambiguous),
        FailureRule(
            values: [
                .mechanismInvalid, .mechanismParamInvalid, .functionNotSupported, .functionNotParallel,
                .curveNotSupported, .keySizeRange, .domainParamsInvalid, .randomNoRNG,
            ],
            failureClass: .unsupported),
        FailureRule(
            values: [.generalError, .functionFailed, .deviceError, .functionCanceled, .cancel, .functionRejected],
            failureClass: .ambiguous),
        FailureRule(values: FailureRule.badRequests, failureClass: .badRequest),
    ]

    private static let badRequests: Set<ReturnValue> = [
        .argumentsBad, .attributeReadOnly, .attributeSensitive, .attributeTypeInvalid, .attributeValueInvalid,
        .templateIncomplete, .templateInconsistent, .dataInvalid, .dataLenRange, .encryptedDataInvalid,
        .encryptedDataLenRange, .wrappedKeyInvalid, .wrappedKeyLenRange, .signatureInvalid, .signatureLenRange,
        .bufferTooSmall, .keyFunctionNotPermitted, .keyTypeInconsistent, .keyNotWrappable, .keyUnextractable,
        .unwrappingKeyTypeInconsistent, .wrappingKeyTypeInconsistent, .unwrappingKeySizeRange, .wrappingKeySizeRange,
        .keyNeeded, .keyNotNeeded, .keyIndigestible, .keyChanged, .publicKeyInvalid, .informationSensitive,
        .actionProhibited, .sessionReadOnly, .tokenWriteProtected, .userAlreadyLoggedIn,
    ]
}

extension DeviceProfile {
    /// What this device means by codes that mean something else, or nothing, by the specification.
    var failureRules: [FailureRule] {
        func rule(
            _ value: ReturnValue?, _ failureClass: FailureClass, in functions: Set<String> = []
        ) -> FailureRule? {
            // `CKR_OK` as the code of a full device is a loss that no return value tells.
            value.flatMap {
                $0 == .ok ? nil : FailureRule(functions: functions, values: [$0], failureClass: failureClass)
            }
        }
        let full = self.capacity.full
        let throttled = (self.lifecycle.throttled.value ?? []).map {
            FailureRule(values: [$0], failureClass: .throttled)
        }
        return throttled
            + [
                rule(self.sessions.overLimit.value, .capacity, in: ["C_OpenSession"]),
                rule(full.keyGeneration.value, .capacity, in: ["C_GenerateKeyPair", "C_GenerateKey"]),
                rule(full.create.value, .capacity, in: ["C_CreateObject", "C_UnwrapKey"]),
                rule(full.directory.value, .capacity, in: FailureRule.writing),
                rule(full.objects.value, .capacity, in: FailureRule.writing),
                rule(full.log.value, .capacity, in: FailureRule.writing),
                rule(self.lifecycle.removed.value, .tokenGone),
                rule(self.lifecycle.staleSession.value, .sessionLost),
                rule(self.lifecycle.staleHandle.value, .sessionLost),
            ].compactMap { $0 }
    }
}

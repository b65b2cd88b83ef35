import CRawPKCS11
import Foundation
import KeyProvider

/// `C_SignInit` and `C_Sign` of a SHA-256 digest in a loop on threads of its own, one session each, with nothing of
/// Signet in between.
///
/// The module is initialised and logged in by somebody else in this process.
package struct RawSigner: @unchecked Sendable {
    // `@unchecked`: the function list is constant memory of a module that stays mapped.
    private let functions: UnsafeMutablePointer<CK_FUNCTION_LIST>
    private let slot: CK_SLOT_ID
    private let key: CK_OBJECT_HANDLE
    private let mechanism: CK_MECHANISM_TYPE
    private let input: [UInt8]
    /// What is signed by its hash.
    package static let message = [UInt8](repeating: 0x30, count: 900)

    /// - Parameter algorithm: of the only private key on the token.
    package init(module: String, label: String, algorithm: KeyAlgorithm) throws {
        let list = try RawSigner.functions(of: module)
        self.functions = list
        self.slot = try RawSigner.slot(list, label)
        self.mechanism = algorithm.isRSA ? CKM_RSA_PKCS : CKM_ECDSA
        let digest = [UInt8](repeating: 0x5A, count: 32)
        // DigestInfo of SHA-256 (RFC 8017, section 9.2, note 1).
        let digestInfo: [UInt8] = [
            0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
            0x20,
        ]
        self.input = algorithm.isRSA ? digestInfo + digest : digest
        self.key = try RawSigner.key(list, self.slot)
    }

    static func functions(of module: String) throws -> UnsafeMutablePointer<CK_FUNCTION_LIST> {
        guard let library = dlopen(module, RTLD_NOW), let symbol = dlsym(library, "C_GetFunctionList") else {
            throw BenchmarkFailure.noModule(module)
        }
        var list: UnsafeMutablePointer<CK_FUNCTION_LIST>?
        let getFunctionList = unsafeBitCast(symbol, to: CK_C_GetFunctionList.self)
        guard getFunctionList(&list) == CKR_OK, let list else { throw BenchmarkFailure.noModule(module) }
        return list
    }

    /// Signs for `seconds` on as many threads.
    ///
    /// - Parameters:
    ///   - ramp: seconds for which they run before anything is counted.
    ///   - hashing: hash ``message`` for each signature, as whoever has a message to sign has to.
    package func rate(threads: Int, seconds: Double, ramp: Double = 0, hashing: Bool = false) throws -> Rate {
        let span = Span(seconds: seconds, ramp: ramp)
        let runs = (0..<threads).map { _ in Run(self, during: span, hashing) }
        for run in runs { run.start() }
        if ramp > 0 { Thread.sleep(forTimeInterval: ramp) }
        let stopwatch = Stopwatch(since: span.beginning)
        for run in runs { run.wait() }
        guard runs.allSatisfy({ $0.result == CKR_OK }) else { throw BenchmarkFailure.callFailed }
        return stopwatch.rate(of: runs.reduce(0) { $0 + $1.count })
    }

    /// One thread. What it leaves is read after its end.
    private final class Run: @unchecked Sendable {
        private let signer: RawSigner
        private let span: Span
        private let hashing: Bool
        private var thread = pthread_t()
        private(set) var count = 0
        private(set) var result = CK_RV(CKR_OK)

        init(_ signer: RawSigner, during span: Span, _ hashing: Bool) {
            self.hashing = hashing
            self.signer = signer
            self.span = span
        }

        func start() {
            pthread_create(
                &self.thread, nil,
                { argument in
                    guard let argument else { return nil }
                    let run = Unmanaged<Run>.fromOpaque(argument).takeUnretainedValue()
                    run.result = run.signer.sign(during: run.span, run.hashing, &run.count)
                    return nil
                }, Unmanaged.passUnretained(self).toOpaque())
        }

        func wait() { pthread_join(self.thread, nil) }
    }

    private func sign(during span: Span, _ hashing: Bool, _ count: inout Int) -> CK_RV {
        var session: CK_SESSION_HANDLE = 0
        let list = self.functions
        guard let open = list.pointee.C_OpenSession, let close = list.pointee.C_CloseSession,
            let initialize = list.pointee.C_SignInit, let sign = list.pointee.C_Sign
        else { return CKR_FUNCTION_NOT_SUPPORTED }
        var result = open(self.slot, CK_FLAGS(CKF_SERIAL_SESSION), nil, nil, &session)
        var mechanism = CK_MECHANISM(mechanism: self.mechanism, pParameter: nil, ulParameterLen: 0)
        var (input, signature) = (self.input, [UInt8](repeating: 0, count: 512))
        while result == CKR_OK, case let now = Stopwatch.now, now < span.end {
            var length = CK_ULONG(signature.count)
            if hashing {
                input.withUnsafeMutableBufferPointer { input in
                    _ = SHA256(
                        RawSigner.message, RawSigner.message.count, input.baseAddress.map { $0 + input.count - 32 })
                }
            }
            result = initialize(session, &mechanism, self.key)
            if result == CKR_OK { result = sign(session, &input, CK_ULONG(input.count), &signature, &length) }
            if now >= span.beginning { count += 1 }
        }
        _ = close(session)
        return result
    }

    static func slot(_ list: UnsafeMutablePointer<CK_FUNCTION_LIST>, _ label: String) throws -> CK_SLOT_ID {
        var slots = [CK_SLOT_ID](repeating: 0, count: 16)
        var count = CK_ULONG(slots.count)
        guard list.pointee.C_GetSlotList?(1, &slots, &count) == CKR_OK else { throw BenchmarkFailure.noToken }
        for slot in slots.prefix(Int(count)) {
            var info = CK_TOKEN_INFO()
            guard list.pointee.C_GetTokenInfo?(slot, &info) == CKR_OK else { continue }
            let name = withUnsafeBytes(of: info.label) { String(decoding: $0, as: UTF8.self) }
            if name.trimmingCharacters(in: .whitespaces) == label { return slot }
        }
        throw BenchmarkFailure.noToken
    }

    private static func key(
        _ list: UnsafeMutablePointer<CK_FUNCTION_LIST>, _ slot: CK_SLOT_ID
    ) throws -> CK_OBJECT_HANDLE {
        var session: CK_SESSION_HANDLE = 0
        guard list.pointee.C_OpenSession?(slot, CK_FLAGS(CKF_SERIAL_SESSION), nil, nil, &session) == CKR_OK else {
            throw BenchmarkFailure.noToken
        }
        defer { _ = list.pointee.C_CloseSession?(session) }
        var wanted = CK_OBJECT_CLASS(CKO_PRIVATE_KEY)
        var (key, count) = (CK_OBJECT_HANDLE(0), CK_ULONG(0))
        let result = withUnsafeMutablePointer(to: &wanted) { value in
            var attribute = CK_ATTRIBUTE(
                type: CKA_CLASS, pValue: value, ulValueLen: CK_ULONG(MemoryLayout.size(ofValue: value.pointee)))
            return list.pointee.C_FindObjectsInit?(session, &attribute, 1)
        }
        guard result == CKR_OK, list.pointee.C_FindObjects?(session, &key, 1, &count) == CKR_OK, count == 1 else {
            throw BenchmarkFailure.noKey
        }
        _ = list.pointee.C_FindObjectsFinal?(session)
        return key
    }
}

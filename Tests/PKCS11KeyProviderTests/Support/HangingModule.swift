import Foundation
import TestSupport
import Testing

/// A module whose `C_Initialize` does not return before it is released.
struct HangingModule {
    let path: String
    private let directory: TemporaryDirectory
    private let held: String

    private static let source = """
        #include <string.h>
        #include <unistd.h>
        #include <p11-kit-1/p11-kit/pkcs11.h>
        static CK_FUNCTION_LIST functions;
        static CK_RV initialize(void *arguments) {
            while (access(HELD, F_OK) == 0) usleep(5000);
            return CKR_GENERAL_ERROR;
        }
        CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
            functions.version.major = 2;
            functions.version.minor = 40;
            functions.C_Initialize = initialize;
            *list = &functions;
            return CKR_OK;
        }
        """

    init(in directory: TemporaryDirectory) async throws {
        self.directory = directory
        self.held = try directory.write("held", [])
        let source = try directory.write("hanging.c", Array(HangingModule.source.utf8))
        self.path = directory.path("hanging.so")
        let built = try await run([
            "cc", "-shared", "-fPIC", "-w", "-DHELD=\"\(self.held)\"", "-o", self.path, source,
        ])
        try #require(built.status == 0, "\(built.stderr)")
    }

    /// Lets the calls end that hang.
    func release() throws { try FileManager.default.removeItem(atPath: self.held) }
}

import Foundation
import TestSupport
import Testing

/// A module around another one that has a PIN pad: its token says `CKF_PROTECTED_AUTHENTICATION_PATH`, and a login is
/// good only when no PIN is given; the pad enters it.
struct PINPad {
    let modulePath: String

    private static let source = """
        #include <dlfcn.h>
        #include <string.h>
        #include <p11-kit-1/p11-kit/pkcs11.h>
        static CK_FUNCTION_LIST inner, outer;
        static CK_RV info(CK_SLOT_ID slot, CK_TOKEN_INFO *info) {
            CK_RV rv = inner.C_GetTokenInfo(slot, info);
            info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
            return rv;
        }
        static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, CK_ULONG length) {
            if (pin || length) return CKR_ARGUMENTS_BAD;
            return inner.C_Login(session, user, (unsigned char *)PIN, strlen(PIN));
        }
        CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
            if (!inner.C_Login) {
                CK_FUNCTION_LIST *found = 0;
                CK_RV (*get)(CK_FUNCTION_LIST **) = 0;
                void *library = dlopen(MODULE, RTLD_NOW);
                if (library) *(void **)&get = dlsym(library, "C_GetFunctionList");
                if (!get || get(&found) != CKR_OK) return CKR_GENERAL_ERROR;
                inner = outer = *found;
                outer.C_GetTokenInfo = info;
                outer.C_Login = login;
            }
            *list = &outer;
            return CKR_OK;
        }
        """

    /// - Parameter pin: what is entered at the pad; the token's by default.
    init(around token: SoftwareToken, entering pin: String? = nil, in directory: TemporaryDirectory) async throws {
        let source = try directory.write("pad.c", Array(PINPad.source.utf8))
        self.modulePath = directory.path("pad.so")
        let built = try await run([
            "cc", "-shared", "-fPIC", "-w", "-DMODULE=\"\(token.modulePath)\"", "-DPIN=\"\(pin ?? token.userPIN)\"",
            "-o",
            self.modulePath, source, "-ldl",
        ])
        try #require(built.status == 0, "\(built.stderr)")
    }
}

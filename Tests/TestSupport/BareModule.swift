/// A module that hands a text to another one in `C_Initialize`, for programs that cannot: `pkcs11-tool` and `p11tool`
/// can load NSS softokn only so. All other functions are those of the other module.
package enum BareModule {
    /// Compiles it.
    ///
    /// - Returns: its path, and the environment in which it stands for `token`.
    package static func make(
        for token: SoftwareToken, in directory: TemporaryDirectory
    ) async throws -> (path: String, environment: [String: String]) {
        let source = try directory.write("bare.c", Array(BareModule.source.utf8))
        let path = directory.path("bare.so")
        let compiled = try await run(["gcc", "-Wall", "-Werror", "-shared", "-fPIC", "-o", path, source, "-ldl"])
        guard compiled.status == 0 else { throw BareModuleError(reason: compiled.stderr) }
        let variables = ["BARE_MODULE": token.modulePath, "BARE_ARGUMENTS": token.initializationString ?? ""]
        return (path, token.environment.merging(variables) { $1 })
    }

    private static let source = """
        #define CRYPTOKI_COMPAT 1
        #include <dlfcn.h>
        #include <stdlib.h>
        #include <string.h>
        #include <p11-kit-1/p11-kit/pkcs11.h>
        struct interface { unsigned char *name; void *functions; CK_FLAGS flags; };
        struct table { CK_FUNCTION_LIST v2; void *added[24]; };
        typedef CK_RV (*get_list)(CK_FUNCTION_LIST **);
        typedef CK_RV (*get_interface)(unsigned char *, CK_VERSION *, struct interface **, CK_FLAGS);
        static struct table tables[2];
        static struct interface interface3;
        static CK_RV (*initialize_module)(void *);
        static void *symbol(const char *name) {
            static void *module;
            if (!module) module = dlopen(getenv("BARE_MODULE"), RTLD_NOW);
            return module ? dlsym(module, name) : NULL;
        }
        static CK_RV initialize(void *given) {
            struct { CK_C_INITIALIZE_ARGS common; void *nss; } arguments;
            memset(&arguments, 0, sizeof arguments);
            if (given) arguments.common = *(CK_C_INITIALIZE_ARGS *)given;
            arguments.common.pReserved = getenv("BARE_ARGUMENTS");
            return initialize_module(&arguments);
        }
        CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
            get_list get = (get_list)symbol("C_GetFunctionList");
            CK_FUNCTION_LIST *real;
            CK_RV rv = get ? get(&real) : CKR_GENERAL_ERROR;
            if (rv != CKR_OK) return rv;
            tables[0].v2 = *real;
            initialize_module = real->C_Initialize;
            tables[0].v2.C_Initialize = initialize;
            *list = &tables[0].v2;
            return CKR_OK;
        }
        CK_RV C_GetInterface(unsigned char *name, CK_VERSION *version, struct interface **found, CK_FLAGS flags) {
            get_interface get = (get_interface)symbol("C_GetInterface");
            struct interface *real;
            CK_RV rv = get ? get(name, version, &real, flags) : CKR_FUNCTION_FAILED;
            if (rv != CKR_OK) return rv;
            if (((CK_VERSION *)real->functions)->major != 3) return CKR_FUNCTION_FAILED;
            memcpy(&tables[1], real->functions, sizeof tables[1]);
            initialize_module = tables[1].v2.C_Initialize;
            tables[1].v2.C_Initialize = initialize;
            interface3 = *real;
            interface3.functions = &tables[1];
            *found = &interface3;
            return CKR_OK;
        }
        """
}

package struct BareModuleError: Error {
    let reason: String
}

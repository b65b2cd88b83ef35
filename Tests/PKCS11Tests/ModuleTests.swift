import Diagnostics
import Foundation
import PKCS11
import TestSupport
import Testing

@Suite struct ModuleTests {
    @Test("A wrong module path is an error with the loader's words and 0x8007007e")
    func wrongPath() throws {
        let error = try #require(throws: ModuleLoadError.self) { try Module(path: "/nonexistent/module.so") }
        #expect(error.hresult == .moduleNotFound)
        #expect(error.headline.contains("/nonexistent/module.so"))
        #expect(error.reason.contains("No such file"))
        #expect(!error.advice.isEmpty)
    }

    @Test("A library without C_GetFunctionList is an error")
    func notAModule() throws {
        let error = try #require(throws: ModuleLoadError.self) { try Module(path: "libc.so.6") }
        #expect(error.hresult == .moduleNotFound)
        #expect(error.reason.contains("C_GetFunctionList"))
    }

    @Test("In a process that was forked nothing of the module is called, and the parent goes on")
    func forked() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let module = try Module(path: software.modulePath)
        let description = try module.info().description
        // Swift hides `fork`, since a child has one thread only. This one reads memory and ends.
        let symbol = try #require(dlsym(nil, "fork"))
        let fork = unsafeBitCast(symbol, to: (@convention(c) () -> pid_t).self)
        let child = fork()
        if child == 0 {
            do throws(PKCS11Error) {
                _ = try module.info()
                _exit(1)
            } catch {
                _exit(module.isForked && error.returnValue == .cryptokiNotInitialized ? 0 : 2)
            }
        }
        #expect(child > 0)
        var status: Int32 = -1
        while waitpid(child, &status, WNOHANG) == 0 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(status == 0)
        #expect(!module.isForked)
        #expect(try module.info().description == description)
    }

    @Test("A module that is initialised already is taken as it is, and stays initialised when the second user ends")
    func alreadyInitialized() async throws {
        try await withSoftHSM { software in
            do {
                let second = try Module(path: software.modulePath)
                #expect(try second.info().manufacturer == "SoftHSM")
            }
            #expect(try software.slot().tokenInfo().identification.label == software.label)
        }
    }

    @Test(
        "A token tells its identification, and its memory only when it knows it",
        arguments: SoftwareToken.Kind.allCases)
    func tokenInfo(kind: SoftwareToken.Kind) async throws {
        let software = try await SoftwareToken.make(kind)
        let info = try software.slot().tokenInfo()
        #expect(info.identification.label == software.label)
        #expect(info.flags.contains(.loginRequired))
        #expect(try software.slot().mechanisms().contains(.ecdsa))
        #expect(try software.slot().info(of: .rsaPKCSKeyPairGen).maximumKeySize >= 4096)
        #expect(info.freePrivateMemory != UInt.max && info.totalPublicMemory != UInt.max)
    }
}

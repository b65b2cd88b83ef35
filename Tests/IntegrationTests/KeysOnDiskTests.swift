import Foundation
import TestSupport
import Testing

@Suite("Private keys stay on their tokens")
struct KeysOnDiskTests {
    @Test("No private component of a CA, exchange, TLS or agent key is in any file outside the tokens")
    func noKeyOnDisk() async throws {
        let site = try await Site.serving(port: 1)
        _ = try await site.makeAgent()
        let script = try site.directory.write("search.py", Array(KeysOnDiskTests.search.utf8))
        let tokens = ["root", "issuing", "card"].map { site.path("tokens-\($0)") }
        let found = try await succeed(
            ["python3", script, "12345678", site.directory.path] + tokens)
        // Root; issuing, TLS and exchange; agent. RSA keys have six private numbers each, EC keys one.
        let summary = try #require(found.text.firstMatch(of: /(\d+) private keys, (\d+) components, (\d+) files/))
        #expect(summary.1 == "5" && summary.2 == "15")
        #expect((Int(summary.3) ?? 0) > 10)
        #expect(found.text.hasSuffix("nothing found\n"), "\(found.text)")
    }

    /// Opens SoftHSM's own object files with the PIN, as SoftHSM does, to learn the private numbers; then looks for
    /// each, in any 16 bytes of it, raw, in hexadecimal and in base64 at every alignment, in every other file.
    private static let search = """
        import base64, hashlib, os, struct, sys
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        VENDOR = 0x80000000 + 0x5348
        USER_PIN, CLASS, PRIVATE = VENDOR + 5, 0x0, 0x2
        PRIVATE_NUMBERS = {0x11, 0x123, 0x124, 0x125, 0x126, 0x127, 0x128}

        def cbc(key, iv, data):
            d = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
            plain = d.update(data) + d.finalize()
            return plain[:-plain[-1]]

        def attributes(path):
            data, at, result = open(path, 'rb').read(), 8, {}
            while at < len(data):
                kind, form = struct.unpack_from('>QQ', data, at); at += 16
                if form == 1: value = data[at]; at += 1
                elif form == 2: value, = struct.unpack_from('>Q', data, at); at += 8
                else:
                    size, = struct.unpack_from('>Q', data, at); at += 8
                    value = data[at:at + size]; at += size
                result[kind] = value
            return result

        def token_key(directory, pin):
            blob = attributes(os.path.join(directory, 'token.object'))[USER_PIN]
            salt, iv, sealed = blob[:8], blob[8:24], blob[24:]
            key = hashlib.sha256(salt + pin).digest()
            for _ in range(1500 + salt[-1] - 1): key = hashlib.sha256(key).digest()
            plain = cbc(key, iv, sealed)
            assert plain[:3] == b'RJR' and len(plain) == 35, 'the PIN does not open the token'
            return plain[3:]

        pin, root, tokens = sys.argv[1].encode(), sys.argv[2], sys.argv[3:]
        keys, components = 0, []
        for token in tokens:
            for directory, _, names in os.walk(token):
                if 'token.object' not in names: continue
                key = token_key(directory, pin)
                for name in names:
                    if not name.endswith('.object') or name == 'token.object': continue
                    found = attributes(os.path.join(directory, name))
                    if found.get(CLASS) != 3: continue
                    keys += 1
                    for kind in PRIVATE_NUMBERS & set(found):
                        sealed = found[kind]
                        if sealed: components.append(cbc(key, sealed[:16], sealed[16:]))

        needles = set()
        for number in components:
            part = number[8:24]
            assert len(part) == 16, len(number)
            needles |= {part, part[::-1], part.hex().encode(), part.hex().upper().encode()}
            for shift in range(3):
                # Drop the characters that also depend on neighbouring bytes.
                text = base64.b64encode(b'x' * shift + part)
                needles.add(text[4 if shift else 0:-4])

        files = hits = 0
        for directory, _, names in os.walk(root):
            if any(directory == t or directory.startswith(t + '/') for t in tokens): continue
            for name in names:
                path = os.path.join(directory, name)
                if not os.path.isfile(path): continue
                data = open(path, 'rb').read(); files += 1
                flat = data.replace(b'\\n', b'')
                for needle in needles:
                    if needle in data or needle in flat: print('found in', path); hits += 1
        # The search itself has to find what is there: in the needles it can.
        assert all(any(n in c for n in needles) for c in components)
        print(keys, 'private keys,', len(components), 'components,', files, 'files')
        print('nothing found' if not hits else 'FOUND')

        """
}

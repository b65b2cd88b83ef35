internal import Glibc

/// Whole text files, read without Foundation.
package enum TextFile {
    /// - Returns: the content of the file, which must be UTF-8.
    /// - Throws: ``ProfileError`` with code ``ProfileError/Code/unreadable`` or ``ProfileError/Code/notYAML``.
    package static func read(_ path: String) throws(ProfileError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(path, reason: TextFile.reason()) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while content.count <= Document.maximumBytes {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(path, reason: TextFile.reason()) }
            if count == 0 { break }
            content += buffer[..<count]
        }
        guard let text = String(validating: content, as: UTF8.self) else {
            throw .notYAML(path, line: nil, reason: "it is not UTF-8")
        }
        return text
    }

    /// The names of the entries of a directory that end in `.yaml`, sorted.
    static func yamlNames(in directory: String) throws(ProfileError) -> [String] {
        guard let stream = opendir(directory) else { throw .unreadable(directory, reason: TextFile.reason()) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".yaml"), !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    private static func reason() -> String {
        String(cString: strerror(errno))
    }
}

import TestSupport

/// Runs a program on a terminal of its own, and types what it is told after it has seen a text.
private let terminalProgram = """
    import os, pty, select, sys, time
    seen, keys, command = sys.argv[1].encode(), sys.argv[2].encode().decode("unicode_escape").encode(), sys.argv[3:]
    process, terminal = pty.fork()
    if process == 0:
        os.execv(command[0], command)
    text, typed, end = b"", False, time.time() + 120
    while time.time() < end:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        text += data
        if keys and not typed and seen in text:
            os.write(terminal, keys)
            typed = True
    sys.stdout.write(text.decode(errors="replace"))
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    sys.exit(code if code >= 0 else 128 - code)
    """

extension Site {
    /// Runs a command as somebody at a terminal does.
    ///
    /// - Parameters:
    ///   - seen: what the command has to show before anything is typed.
    ///   - keys: with Python's escapes.
    func onTerminal(after seen: String, type keys: String, _ command: [String]) async throws -> ToolResult {
        let script = try self.directory.write("terminal.py", Array(terminalProgram.utf8))
        return try await run(["python3", script, seen, keys] + command)
    }
}

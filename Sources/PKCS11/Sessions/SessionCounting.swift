public import Diagnostics

extension Session {
    /// Opens sessions beside this one until the device refuses one, and closes them again.
    ///
    /// - Parameter limit: how many are opened at most: a device has other users.
    /// - Returns: how many were opened, and the refusal; `nil` when there was none.
    public func openMore(upTo limit: Int) -> (count: Int, refusal: ReturnValue?) {
        var sessions: [Session] = []
        while sessions.count < limit {
            do throws(PKCS11Error) {
                sessions.append(try Session(sibling: self))
            } catch {
                return (sessions.count, error.returnValue)
            }
        }
        return (sessions.count, nil)
    }
}

/// The form that asks after a request: `certckpn.asp`.
struct CheckPendingPage {
    func body() -> HTML {
        """
        <form method="post" action="/certsrv/certfnsh.asp">
        <input type="hidden" name="Mode" value="chkpnd">
        <p><label>Request Id: <input name="ReqID" inputmode="numeric" pattern="[0-9]+" required></label>
        <button>Check</button></p>
        </form>
        """
    }
}

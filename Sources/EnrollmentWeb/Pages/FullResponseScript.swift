import CertificateAuthority
import Foundation

/// The CMC full response as clients of the enrolment pages read it: a script variable with the base64 of the
/// PKCS#7. Empty when there is none. Base64 has no character that ends a string or a script.
struct FullResponseScript {
    let result: EnrollmentResult

    func body() -> HTML {
        guard let response = self.result.fullResponseDER else { return "" }
        return """
            <script>
            var sPKCS7="\(Data(response).base64EncodedString())";
            </script>
            """
    }
}

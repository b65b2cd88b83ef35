/// An error in one of several files, which is told with the file's name.
public struct ErrorInFile: DiagnosableError {
    public let file: String
    public let error: any DiagnosableError

    public init(_ file: String, _ error: any DiagnosableError) {
        self.file = file
        self.error = error
    }

    public var headline: String { self.error.headline }
    public var hresult: HRESULT { self.error.hresult }
    public var tokenFailure: TokenFailure? { self.error.tokenFailure }
    public var facts: [Fact] { [Fact("file", self.file)] + self.error.facts }
    public var advice: [Advice] { self.error.advice }
}

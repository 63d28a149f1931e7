import TensorFiles

/// The folder of a model: files are opened by their base name, and none outside of the folder is.
///
/// Names with a slash, `.` and `..` are refused, and so are links that lead out of the folder, as in a cache that keeps files
/// elsewhere: such a folder has to be copied with its links followed.
public struct ModelFolder: Sendable {
    /// Largest JSON or text file that is read, in bytes: above the largest vocabularies in use.
    static let largestText = 128 << 20

    /// The path as it was given, which errors name.
    public let path: String
    /// The path with its links followed, which a file has to lie in.
    private let resolvedPath: String

    /// Opens a folder.
    ///
    /// - Throws: ``CheckpointError`` of kind `notAFolder`.
    public init(path: String) throws(CheckpointError) {
        var shown = path
        while shown.utf8.count > 1, shown.utf8.last == UInt8(ascii: "/") { shown.removeLast() }
        guard !path.isEmpty, !path.utf8.contains(0), let resolved = SystemCalls.resolved(path),
            SystemCalls.resolved(resolved + "/.") != nil
        else {
            throw CheckpointError(
                .notAFolder, file: path, expected: "the folder of a model",
                found: !path.utf8.contains(0) && SystemCalls.resolved(path) != nil ? "a file" : "nothing there")
        }
        self.path = shown
        resolvedPath = resolved
    }

    private init(path: String, resolvedPath: String) {
        self.path = path
        self.resolvedPath = resolvedPath
    }

    /// The path of a file that is directly in this folder, or nil if there is none.
    ///
    /// - Throws: ``CheckpointError`` of kind `pathLeavesFolder`.
    public func existingFile(_ name: String) throws(CheckpointError) -> String? {
        try checkName(name)
        let full = path + "/" + name
        guard let resolved = SystemCalls.resolved(resolvedPath + "/" + name) else { return nil }
        let inside = resolvedPath.utf8.last == UInt8(ascii: "/") ? resolvedPath : resolvedPath + "/"
        guard resolved.utf8.starts(with: inside.utf8) else {
            throw CheckpointError(
                .pathLeavesFolder, file: full, expected: "a file within the folder",
                found: "a link to \(MessageText.path(resolved))")
        }
        return full
    }

    /// The path of a file that has to be there.
    ///
    /// - Throws: ``CheckpointError`` of kind `missingFile` or `pathLeavesFolder`.
    public func file(_ name: String) throws(CheckpointError) -> String {
        if let found = try existingFile(name) { return found }
        throw CheckpointError(.missingFile, file: path + "/" + name, expected: "this file", found: "none")
    }

    /// The folder under a relative path of plain names, which may be empty for this folder itself.
    ///
    /// - Throws: ``CheckpointError`` of kind `pathLeavesFolder` or `missingFile`.
    public func folder(_ relativePath: String) throws(CheckpointError) -> ModelFolder {
        var folder = self
        if relativePath.isEmpty { return folder }
        for name in relativePath.split(separator: "/", omittingEmptySubsequences: false) {
            let full = try folder.file(String(name))
            guard let resolved = SystemCalls.resolved(full) else {
                throw CheckpointError(.missingFile, file: full, expected: "this folder", found: "none")
            }
            folder = ModelFolder(path: full, resolvedPath: resolved)
        }
        return folder
    }

    private func checkName(_ name: String) throws(CheckpointError) {
        let isPlain =
            !name.isEmpty && name != "." && name != ".." && !name.utf8.contains(UInt8(ascii: "/"))
            && !name.utf8.contains(0)
        guard isPlain else {
            throw CheckpointError(
                .pathLeavesFolder, file: path, expected: "the plain name of a file within the folder",
                found: MessageText.quoted(name))
        }
    }

    /// The bytes of a small file.
    ///
    /// - Parameter canAllocate: whether memory of that size is there, which Swift would end the process for.
    /// - Throws: ``CheckpointError`` of kind `missingFile`, `pathLeavesFolder`, `unreadableFile`, `tooLarge` or `outOfMemory`.
    func bytes(
        _ name: String, canAllocate: (Int) -> Bool = SystemCalls.canAllocate
    ) throws(CheckpointError) -> [UInt8] {
        let path = try file(name)
        func unreadable(_ error: TensorFileError) -> CheckpointError {
            CheckpointError(.unreadableFile, file: path, expected: error.expected, found: error.found)
        }
        let source: FileSource
        do throws(TensorFileError) { source = try FileSource(path: path) } catch { throw unreadable(error) }
        guard source.size <= Self.largestText else {
            throw CheckpointError(
                .tooLarge, file: path, expected: "at most \(MessageText.bytes(Self.largestText))", found: "more")
        }
        guard canAllocate(source.size) else {
            throw CheckpointError(
                .outOfMemory, file: path, expected: "memory for \(MessageText.bytes(source.size))", found: "none")
        }
        var bytes = [UInt8](repeating: 0, count: source.size)
        var failure: TensorFileError?
        bytes.withUnsafeMutableBytes { buffer in
            do throws(TensorFileError) { try source.read(into: buffer, at: 0) } catch { failure = error }
        }
        if let failure { throw unreadable(failure) }
        return bytes
    }

    /// A JSON file that has to be there.
    func json(_ name: String) throws(CheckpointError) -> JSONReader {
        let path = try file(name)
        return JSONReader(try JSONParser.parse(try bytes(name), file: path), file: path)
    }

    /// A JSON file, or nil if there is none.
    func optionalJSON(_ name: String) throws(CheckpointError) -> JSONReader? {
        try existingFile(name) == nil ? nil : try json(name)
    }
}

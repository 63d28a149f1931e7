#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Finds case files.
enum CaseFolders {
    /// The files that `paths` name: a file as it is, a folder with all .safetensors files below it, sorted.
    ///
    /// - Throws: ``CommandFailure`` of status 65 for a path that is not there or a folder without such files.
    static func files(_ paths: [String]) throws -> [String] {
        try paths.flatMap { path in
            var status = stat()
            guard stat(path, &status) == 0 else {
                throw CommandFailure(
                    .badInput, "\(path): expected a file or folder, found \(String(cString: strerror(errno)))")
            }
            guard status.st_mode & S_IFMT == S_IFDIR else { return [path] }
            let found = try contents(path, depth: 0).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            guard !found.isEmpty else {
                throw CommandFailure(.badInput, "\(path): expected .safetensors files in this folder, found none")
            }
            return found
        }
    }

    /// Links are followed for files only, so that no folder is met twice.
    private static func contents(_ folder: String, depth: Int) throws -> [String] {
        guard depth < 64, let directory = opendir(folder) else {
            throw CommandFailure(
                .badInput,
                "\(folder): expected a folder that can be read, found "
                    + (depth < 64 ? String(cString: strerror(errno)) : "one 64 levels deep"))
        }
        defer { closedir(directory) }
        var files: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                files += try contents(path, depth: depth + 1)
            } else if name.hasSuffix(".safetensors") {
                files.append(path)
            }
        }
        return files
    }
}

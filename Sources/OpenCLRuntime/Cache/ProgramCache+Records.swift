extension ProgramCache {
    /// What is on disk under `key`, as it was written: whole, unchanged, and put there by this user.
    package func record(_ kind: CacheEntryKind, _ key: CacheKey) throws(CacheProblem) -> [UInt8] {
        let folder = try opened(key)
        return try CacheFile.decode(try CacheFolder(path: folder, create: false).read(key.fileName(kind)), key: key)
    }

    /// Writes `payload` under `key`, in the place of what was there.
    package func keep(_ payload: [UInt8], _ kind: CacheEntryKind, _ key: CacheKey) throws(CacheProblem) {
        let folder = try opened(key)
        try CacheFolder(path: folder).write(CacheFile.encode(key: key, payload: payload), as: key.fileName(kind))
    }

    /// Removes what is under `key`.
    ///
    /// - Returns: Whether anything was there.
    @discardableResult
    package func forget(_ kind: CacheEntryKind, _ key: CacheKey) throws(CacheProblem) -> Bool {
        let folder = try opened(key)
        do throws(CacheProblem) {
            return try CacheFolder(path: folder, create: false).remove(key.fileName(kind))
        } catch .notFound {
            return false
        }
    }
}

extension ProgramCache {
    /// The files on disk, all or of some kinds, by file name; none where there is no folder yet.
    public func entries(
        _ kinds: Set<CacheEntryKind> = Set(CacheEntryKind.allCases)
    ) throws(CacheProblem) -> [Entry] {
        guard let folder else { return [] }
        do throws(CacheProblem) {
            let opened = try CacheFolder(path: folder, create: false)
            var result: [Entry] = []
            for name in try opened.names() {
                guard let kind = CacheEntryKind(fileName: name), kinds.contains(kind) else { continue }
                let bytes: [UInt8]
                do throws(CacheProblem) { bytes = try opened.read(name) } catch { bytes = [] }
                result.append(Entry(kind: kind, key: CacheFile.key(bytes), file: name, byteCount: bytes.count))
            }
            return result
        } catch .notFound {
            return []
        }
    }

    /// Bytes of all files on disk.
    public func totalBytes() throws(CacheProblem) -> Int { try entries().reduce(0) { $0 + $1.byteCount } }

    /// Removes every file on disk that is the cache's, or those of some kinds, and what interrupted writes left; other files stay.
    /// Programs in memory stay too.
    ///
    /// - Returns: How many files went.
    @discardableResult
    public func clear(_ kinds: Set<CacheEntryKind> = Set(CacheEntryKind.allCases)) throws(CacheProblem) -> Int {
        guard let folder else { return 0 }
        do throws(CacheProblem) {
            let opened = try CacheFolder(path: folder, create: false)
            return try opened.names(temporary: true).reduce(0) { count, name in
                let isWanted = CacheEntryKind(fileName: name).map { kinds.contains($0) } ?? true
                return count + (isWanted && opened.remove(name) ? 1 : 0)
            }
        } catch .notFound {
            return 0
        }
    }
}

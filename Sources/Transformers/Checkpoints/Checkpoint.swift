import AttentionCore
import TensorFiles

/// The named tensors of a model, from one safetensors file or several.
///
/// Opening reads headers only. ``check(_:allowing:)`` holds the names and shapes to those of the model, and reports all that is
/// wrong together; then ``tensor(named:shape:)`` reads one tensor after the other.
public struct Checkpoint: Sendable {
    /// A tensor that a model has.
    public struct Expected: Hashable, Sendable {
        public var name: String
        public var shape: [Int]
        /// Whether it may be left out.
        public var isOptional: Bool

        public init(_ name: String, _ shape: [Int], isOptional: Bool = false) {
            self.name = name
            self.shape = shape
            self.isOptional = isOptional
        }
    }

    /// Tensors that may be there without being asked for.
    public enum Allowed: Hashable, Sendable {
        case named(String)
        case beginning(String)

        func covers(_ name: String) -> Bool {
            switch self {
            case .named(let allowed): ByteText(name) == ByteText(allowed)
            case .beginning(let prefix): name.utf8.starts(with: prefix.utf8)
            }
        }
    }

    /// The file, or the index of several, which errors name.
    public let name: String
    private let files: [TensorFile]
    private var places: [ByteText: Place]

    private struct Place {
        let file: Int
        /// The name in the file, from which a model's may differ.
        let storedName: String
    }

    /// The tensors of one file that is open.
    public init(file: TensorFile) {
        name = file.name
        files = [file]
        places = [:]
        for entry in file.entries { places[ByteText(entry.name)] = Place(file: 0, storedName: entry.name) }
    }

    /// Opens `model.safetensors`, or the files that `model.safetensors.index.json` names.
    ///
    /// - Throws: ``CheckpointError`` of kind `missingFile`, `pathLeavesFolder`, `tensorFile`, or of those of JSON files.
    public init(folder: ModelFolder) throws(CheckpointError) {
        if let path = try folder.existingFile("model.safetensors") {
            self.init(file: try Self.open(path))
        } else if let index = try folder.optionalJSON("model.safetensors.index.json") {
            try self.init(index: index, folder: folder)
        } else {
            throw CheckpointError(
                .missingFile, file: folder.path,
                expected: "model.safetensors or model.safetensors.index.json", found: "neither")
        }
    }

    /// Most files of one checkpoint: each stays open.
    private static let mostFiles = 512

    /// The tensors that an index places in files beside it.
    private init(index: JSONReader, folder: ModelFolder) throws(CheckpointError) {
        let map = try index.member("weight_map")
        let names = try map.object.sorted { $0.key.text.utf8.lexicographicallyPrecedes($1.key.text.utf8) }
        var opened: [ByteText: Int] = [:]
        var files: [TensorFile] = []
        var places: [ByteText: Place] = [:]
        for (key, value) in names {
            let shown = "weight_map.\(MessageText.quoted(key.text))"
            let fileName = try JSONReader(value, file: index.file, path: shown).string
            let file: Int
            if let known = opened[ByteText(fileName)] {
                file = known
            } else {
                guard files.count < Self.mostFiles else {
                    throw map.error(.tooLarge, expected: "at most \(Self.mostFiles) files", found: "more")
                }
                file = files.count
                files.append(try Self.open(try folder.file(fileName)))
                opened[ByteText(fileName)] = file
            }
            guard files[file][key.text] != nil else {
                throw CheckpointError(
                    file: files[file].name, missing: [key.text], extra: [], misshapen: [])
            }
            places[key] = Place(file: file, storedName: key.text)
        }
        // A tensor in a file that the index does not place there would be read by some and not by others.
        for (file, opened) in files.enumerated() {
            let unlisted = opened.entries.map(\.name).filter { places[ByteText($0)]?.file != file }
            guard unlisted.isEmpty else {
                throw CheckpointError(file: opened.name, missing: [], extra: unlisted, misshapen: [])
            }
        }
        name = index.file
        self.files = files
        self.places = places
    }

    private static func open(_ path: String) throws(CheckpointError) -> TensorFile {
        do throws(TensorFileError) { return try TensorFile(path: path) } catch { throw CheckpointError(error) }
    }
}

extension Checkpoint {
    /// All names, sorted by their bytes.
    public var names: [String] {
        places.keys.map(\.text).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// What is stored under a name, or nil.
    public func entry(named name: String) -> TensorFileEntry? {
        places[ByteText(name)].flatMap { files[$0.file][$0.storedName] }
    }

    /// The same tensors under other names, for checkpoints of other ages and wrappers.
    ///
    /// - Throws: ``CheckpointError`` of kind `tensors` if two get one name.
    public func renamed(_ newName: (String) -> String) throws(CheckpointError) -> Checkpoint {
        var result = self
        result.places = [:]
        for name in names {
            let new = ByteText(newName(name))
            guard result.places[new] == nil else {
                throw CheckpointError(file: self.name, missing: [], extra: [name], misshapen: [])
            }
            result.places[new] = places[ByteText(name)]
        }
        return result
    }

    /// Holds the tensors to those of a model.
    ///
    /// - Parameters:
    ///   - expected: all that the model has, each to be stored with its shape as F32, F16 or BF16.
    ///   - allowed: what may be there besides.
    /// - Throws: ``CheckpointError`` of kind `tensors`, which lists all that are missing, extra or misshapen.
    public func check(_ expected: [Expected], allowing allowed: [Allowed] = []) throws(CheckpointError) {
        var missing: [String] = []
        var misshapen: [CheckpointError.Misshapen] = []
        var known: Set<ByteText> = []
        for tensor in expected {
            known.insert(ByteText(tensor.name))
            guard let entry = entry(named: tensor.name) else {
                if !tensor.isOptional { missing.append(tensor.name) }
                continue
            }
            if entry.shape != tensor.shape || Self.elementType(entry.elementType) == nil {
                misshapen.append(Self.misshapen(tensor.name, tensor.shape, entry))
            }
        }
        let extra = names.filter { name in
            !known.contains(ByteText(name)) && !allowed.contains { $0.covers(name) }
        }
        guard missing.isEmpty, extra.isEmpty, misshapen.isEmpty else {
            throw CheckpointError(file: name, missing: missing, extra: extra, misshapen: misshapen)
        }
    }

    /// Reads a tensor into host memory, its elements as they are stored: F32, F16 or BF16.
    ///
    /// - Throws: ``CheckpointError`` of kind `tensors`, `tensorFile` or `outOfMemory`.
    public func tensor(named name: String, shape: [Int]) throws(CheckpointError) -> Tensor {
        guard let place = places[ByteText(name)], let entry = files[place.file][place.storedName] else {
            throw CheckpointError(file: self.name, missing: [name], extra: [], misshapen: [])
        }
        guard entry.shape == shape, let type = Self.elementType(entry.elementType) else {
            throw CheckpointError(
                file: self.name, missing: [], extra: [], misshapen: [Self.misshapen(name, shape, entry)])
        }
        let tensor: Tensor
        do throws(AttentionError) {
            tensor = try Tensor(uninitialized: shape, type)
        } catch {
            throw CheckpointError(
                .outOfMemory, file: self.name, place: MessageText.tensor(name), expected: "memory for the tensor",
                found: error.description)
        }
        guard entry.byteCount > 0, let bytes = tensor.storage.hostBytes else { return tensor }
        do throws(TensorFileError) {
            try files[place.file].read(
                place.storedName, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<entry.byteCount]))
        } catch {
            throw CheckpointError(error)
        }
        return tensor
    }

    private static func elementType(_ type: TensorFileElementType) -> ElementType? {
        switch type {
        case .float32: .float32
        case .float16: .float16
        case .bfloat16: .bfloat16
        default: nil
        }
    }

    private static func misshapen(
        _ name: String, _ shape: [Int], _ entry: TensorFileEntry
    ) -> CheckpointError.Misshapen {
        CheckpointError.Misshapen(
            name: name, expected: shape, found: MessageText.type(entry.elementType, entry.shape))
    }
}

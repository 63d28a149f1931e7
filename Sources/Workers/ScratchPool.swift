#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif
import Synchronization

/// Memory that one thread of a job uses at a time.
///
/// `@unchecked Sendable`: who holds a piece is the only one to touch it.
struct Scratch: @unchecked Sendable {
    /// Nil if none was asked for.
    let memory: UnsafeMutableRawPointer?
    /// Of `ScratchPool`'s classes; nil for a piece too large to keep.
    fileprivate let sizeClass: Int?

    static let none = Scratch(memory: nil, sizeClass: nil)
}

/// Pieces of scratch memory, kept between jobs.
///
/// Idle pieces lie in cells, one atomic word each: the address of a piece, with its size class in the low bits that page alignment
/// leaves free. Taking a piece empties its cell, so that there is no lock, and a fork finds the cells whole.
///
/// `@unchecked Sendable`: the address of the cells never changes, and they are atomic.
final class ScratchPool: @unchecked Sendable {
    /// Pieces above so many bytes are not kept.
    static let largestKept = 64 << 20
    private static let alignment = 4096
    /// More than any address space has: refused before the allocator is asked, as some end the process.
    private static let absurd = 1 << 46

    /// A line of its own, so that threads that take their own cells do not disturb each other.
    private struct Cell: ~Copyable {
        let word = Atomic<UInt>(0)
        private let padding: (UInt, UInt, UInt, UInt, UInt, UInt, UInt) = (0, 0, 0, 0, 0, 0, 0)
    }

    private let cells: UnsafeMutablePointer<Cell>
    private let cellCount: Int

    /// Keeps at most `pieces` pieces idle.
    init(pieces: Int) {
        cellCount = pieces
        cells = .allocate(capacity: pieces)
        for index in 0..<pieces { (cells + index).initialize(to: Cell()) }
    }

    deinit {
        release()
        cells.deinitialize(count: cellCount)
        cells.deallocate()
    }

    /// Memory of at least `bytes` bytes, page-aligned, its contents undefined; nil if there is none to be had.
    /// `near`: the cell to look at first.
    func take(bytes: Int, near: Int) -> Scratch? {
        guard bytes > 0 else { return Scratch.none }
        guard bytes <= Self.largestKept else {
            return Self.allocate(bytes).map { Scratch(memory: $0, sizeClass: nil) }
        }
        let wanted = Self.sizeClass(for: bytes)
        if let found = takeIdle(from: wanted, near: near) { return found }
        // One that is too small makes room, so that growing needs do not leave a trail of pieces.
        if let small = takeIdle(from: 0, near: near) {
            if small.sizeClass! >= wanted { return small }
            free(small.memory)
        }
        return Self.allocate(Self.capacity(wanted)).map { Scratch(memory: $0, sizeClass: wanted) }
    }

    /// Gives a piece back, into the cell `near` if that is empty.
    func give(_ scratch: Scratch, near: Int) {
        guard let memory = scratch.memory else { return }
        if let sizeClass = scratch.sizeClass {
            let word = UInt(bitPattern: memory) | UInt(sizeClass)
            var index = near < cellCount ? near : 0
            for _ in 0..<cellCount {
                let cell = cells + index
                if cell.pointee.word.load(ordering: .relaxed) == 0,
                    cell.pointee.word.compareExchange(expected: 0, desired: word, ordering: .acquiringAndReleasing)
                        .exchanged
                {
                    return
                }
                index = index + 1 < cellCount ? index + 1 : 0
            }
        }
        free(memory)
    }

    /// Frees all idle pieces.
    func release() {
        for index in 0..<cellCount {
            let word = cells[index].word.exchange(0, ordering: .acquiringAndReleasing)
            if word != 0 { free(Self.piece(word).memory) }
        }
    }

    /// Bytes of all idle pieces.
    var idleBytes: Int {
        var sum = 0
        for index in 0..<cellCount {
            let word = cells[index].word.load(ordering: .relaxed)
            if word != 0 { sum += Self.capacity(Int(word & 63)) }
        }
        return sum
    }

    private func takeIdle(from wanted: Int, near: Int) -> Scratch? {
        var index = near < cellCount ? near : 0
        for _ in 0..<cellCount {
            let cell = cells + index
            let word = cell.pointee.word.load(ordering: .relaxed)
            if word != 0, Int(word & 63) >= wanted,
                cell.pointee.word.compareExchange(expected: word, desired: 0, ordering: .acquiringAndReleasing)
                    .exchanged
            {
                return Self.piece(word)
            }
            index = index + 1 < cellCount ? index + 1 : 0
        }
        return nil
    }

    private static func piece(_ word: UInt) -> Scratch {
        Scratch(memory: UnsafeMutableRawPointer(bitPattern: word & ~63), sizeClass: Int(word & 63))
    }

    /// Four classes an octave from 4 KiB on: at most a quarter is unused, and a piece soon fits many calls.
    static func capacity(_ sizeClass: Int) -> Int { (4 + sizeClass & 3) << (10 + sizeClass >> 2) }

    /// The smallest class that holds `bytes` bytes.
    static func sizeClass(for bytes: Int) -> Int {
        guard bytes > 4096 else { return 0 }
        let last = bytes - 1
        let octave = Int.bitWidth - 1 - last.leadingZeroBitCount
        return (octave - 12) * 4 + (last >> (octave - 2)) & 3 + 1
    }

    private static func allocate(_ bytes: Int) -> UnsafeMutableRawPointer? {
        guard bytes < absurd else { return nil }
        var memory: UnsafeMutableRawPointer?
        return posix_memalign(&memory, alignment, bytes) == 0 ? memory : nil
    }
}

import AttentionCore
import KernelCalls

/// Where the operands of one call lie in host memory. Those of a device come as copies, and go back when the call is done.
struct HostOperands {
    /// Memory that a kernel reads or writes, and how it is laid out there.
    struct Place {
        var base: UnsafeMutableRawPointer?
        var view = KernelView()
    }

    /// What keeps the copies of this call alive.
    private var copies: [Tensor] = []
    private var written: [(tensor: Tensor, host: Tensor)] = []

    /// Memory to read `tensor` from, whose elements `view` finds.
    mutating func input(_ tensor: Tensor, _ view: HeadView) throws(AttentionError) -> Place {
        if let bytes = tensor.storage.hostBytes { return Place(base: bytes.baseAddress, view: KernelView(view)) }
        let host = try tensor.onHost()
        copies.append(host)
        return Self.place(host, of: tensor, view)
    }

    /// Memory to write `tensor` to.
    mutating func output(_ tensor: Tensor, _ view: HeadView) throws(AttentionError) -> Place {
        if let bytes = tensor.storage.hostBytes { return Place(base: bytes.baseAddress, view: KernelView(view)) }
        // With what stands between its elements, which goes back with them.
        let host = try tensor.onHost()
        written.append((tensor, host))
        return Self.place(host, of: tensor, view)
    }

    private static func place(_ host: Tensor, of tensor: Tensor, _ view: HeadView) -> Place {
        // Host memory may begin elsewhere than the device's did.
        let shift = tensor.layout.offset - host.layout.offset
        return Place(base: host.storage.hostBytes?.baseAddress, view: KernelView(view, shift: shift))
    }

    /// Brings what was written to where the caller has it.
    func finish() throws(AttentionError) {
        for (tensor, host) in written { try tensor.uploadExtent(of: host) }
        withExtendedLifetime(copies) {}
    }
}

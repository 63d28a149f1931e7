/// A sum of products, 8 at a time in half precision: what ``Precision/fast`` allows, element by element.
struct HalfSum {
    /// What products are computed in.
    enum Products: CaseIterable {
        /// `Float`, without any half.
        case float
        /// Products and sums are rounded once.
        case fused
        /// Each by itself.
        case separate
        /// As `separate`, and every half below 2⁻¹⁴ is zero.
        case flushed
    }

    let products: Products
    private var part: Float16 = 0
    private var count = 0

    init(_ products: Products) { self.products = products }

    private func half(_ x: Float16) -> Float16 {
        products == .flushed && abs(x) < .leastNormalMagnitude ? 0 : x
    }

    /// Adds a product. Returns a full sum, which is to be added up in `Float`.
    mutating func add(_ a: Float, _ b: Float) -> Float? {
        let (x, y) = (half(Float16(a)), half(Float16(b)))
        part = products == .fused ? part.addingProduct(x, y) : half(part + half(x * y))
        count += 1
        return count == 8 ? take() : nil
    }

    /// What there is so far; the sum begins anew.
    mutating func take() -> Float {
        let sum = Float(part)
        (part, count) = (0, 0)
        return sum
    }
}

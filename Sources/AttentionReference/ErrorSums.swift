/// The sums over a row's keys that bound the error of one result element.
struct ErrorSums {
    /// D, the head dimension.
    var dimension: Int
    /// N, the attended keys.
    var attended: Int
    /// C1, C2 and A.
    var weightedTerms: Double
    var weightedGaps: Double
    var absolute: Double
    var underflow: Double

    /// det: what a correct `float32` computation can be off by at most.
    var largest: Double {
        Contract.u
            * (Double(dimension + 4) * weightedTerms + 4 * weightedGaps + 2 * Double(attended + 12) * absolute)
            + underflow
    }

    /// acc: what it is off by as a rule, as roundings partly cancel.
    var usual: Double {
        Contract.u
            * (Double(dimension).squareRoot() * weightedTerms + 2 * weightedGaps
                + (Double(attended).squareRoot() + 10) * absolute)
            + underflow
    }
}

extension ReferenceResult {
    /// The sums of one output element, by its row-major index, in a row that `facts` are of.
    func errorSums(_ index: Int, _ facts: ReferenceRow, dimension: Int) -> ErrorSums {
        ErrorSums(
            dimension: dimension, attended: facts.attended, weightedTerms: weightedTerms[index],
            weightedGaps: weightedGaps[index], absolute: absolute[index], underflow: underflow[index])
    }
}

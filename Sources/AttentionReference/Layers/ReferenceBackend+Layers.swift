import AttentionCore

extension ReferenceBackend {
    public func perform(_ operation: LayerOperation, _ control: RunControl) throws(AttentionError) {
        for result in try LayerReference.evaluate(operation, control: control, withBounds: false) {
            try result.target.write(result.values)
        }
    }
}

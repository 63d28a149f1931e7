extension ModelFolder {
    /// The most tokens of a text, those around it included: `max_seq_length` of `sentence_bert_config.json`, else
    /// `model_max_length` of `tokenizer_config.json`, and never more than `max_position_embeddings` of `config.json`; nil if none
    /// says.
    func longestSequence(settings: JSONReader?, sentence: JSONReader?) throws(CheckpointError) -> Int? {
        let positions = try optionalJSON("config.json")?.optional("max_position_embeddings")?.integer(
            in: 1...BERTConfiguration.largestExtent)
        let chosen: Int?
        if let length = try sentence?.optional("max_seq_length") {
            chosen = try length.integer(in: 1...BERTConfiguration.largestExtent)
        } else if let length = try settings?.optional("model_max_length") {
            // Hugging Face writes 10³⁰ for "no limit".
            let number = try length.double
            guard number >= 1 else { throw length.invalid("a length of 1 or more") }
            chosen =
                number > Double(BERTConfiguration.largestExtent)
                ? nil : try length.integer(in: 1...BERTConfiguration.largestExtent)
        } else {
            chosen = nil
        }
        guard let chosen, let positions else { return chosen ?? positions }
        return min(chosen, positions)
    }
}

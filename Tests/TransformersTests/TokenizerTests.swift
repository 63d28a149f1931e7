import Testing
import Transformers

@Suite("Tokenizers")
struct TokenizerTests {}

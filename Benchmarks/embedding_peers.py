"""A sentence model in another library, for embeddings.py.

    python embedding_peers.py torch|onnxruntime THREADS

Requests come in on standard input and answers go out on standard output, one JSON object a line, as in peers.py:
{"prepare": {"model": folder, "token_ids": [[…]], "expected": [[…]], "sizes": [16, 32, 64]}} loads the model and tries each
size of batches, all sorted by length; {"sample": 16} times the lot in batches of that size, {"sample": 1} the shortest
sentence alone.
Tokens come ready: what is timed is the model, the pooling, and dividing by the length.
"""

import json
import os
import pathlib
import sys
import tempfile
import time

import numpy as np
import torch
import transformers

# The largest difference of a component that passes.
TOLERANCE = 1e-5


class Embedder(torch.nn.Module):
    """Token ids to unit vectors: the mean of the last states over the real tokens."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids, mask):
        states = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(states.dtype)
        return torch.nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=1)


class Torch:
    def __init__(self, folder, threads):
        torch.set_num_threads(threads)
        self.model = Embedder(transformers.AutoModel.from_pretrained(folder).eval())
        self.versions = {"torch": torch.__version__, "transformers": transformers.__version__}

    def batch(self, ids, mask):
        return torch.from_numpy(ids), torch.from_numpy(mask)

    def run(self, batch):
        with torch.inference_mode():
            return self.model(*batch).numpy()


class ONNXRuntime:
    def __init__(self, folder, threads):
        import onnxruntime

        self.versions = {"onnxruntime": onnxruntime.__version__}
        example = torch.ones(2, 7, dtype=torch.int64)
        axes = {"ids": {0: "batch", 1: "length"}, "mask": {0: "batch", 1: "length"}}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        with tempfile.TemporaryDirectory() as place:
            path = str(pathlib.Path(place) / "model.onnx")
            torch.onnx.export(
                Embedder(transformers.AutoModel.from_pretrained(folder).eval()), (example, example), path,
                input_names=list(axes), output_names=["embedding"], dynamic_axes=axes, dynamo=False, opset_version=17)
            self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def batch(self, ids, mask):
        return {"ids": ids, "mask": mask}

    def run(self, batch):
        return self.session.run(None, batch)[0]


PEERS = {"torch": Torch, "onnxruntime": ONNXRuntime}


class Measured:
    """All sentences in batches sorted by length, in several sizes, and the shortest one alone."""

    def __init__(self, name, threads, work):
        self.peer = PEERS[name](work["model"], threads)
        ids, expected = work["token_ids"], np.array(work["expected"], np.float32)
        order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
        self.one = [self.padded([ids[order[0]]])]
        self.run(self.one)
        self.batches = {}
        for size in work["sizes"]:
            groups = [order[start:start + size] for start in range(0, len(order), size)]
            batches = [self.padded([ids[index] for index in group]) for group in groups]
            found = np.concatenate(self.run(batches))
            self.difference = float(np.abs(found - expected[order]).max())
            if self.difference > TOLERANCE:
                raise ValueError(f"wrong by {self.difference:.2g}")
            self.batches[size] = batches

    def padded(self, ids):
        table = np.zeros((len(ids), max(map(len, ids))), np.int64)
        mask = np.zeros_like(table)
        for row, tokens in enumerate(ids):
            table[row, :len(tokens)], mask[row, :len(tokens)] = tokens, 1
        return self.peer.batch(table, mask)

    def run(self, batches):
        return [self.peer.run(batch) for batch in batches]

    def timed(self, batches):
        start = time.perf_counter()
        self.run(batches)
        return time.perf_counter() - start

    def sample(self, size):
        if size != 1:
            return self.timed(self.batches[size])
        # The first calls wake the threads.
        return sorted(self.timed(self.one) for _ in range(30))[15]


def main():
    # Libraries that print would break the exchange: what they print goes to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    answer({"versions": {}})
    measured = None
    for line in sys.stdin:
        request = json.loads(line)
        if "prepare" in request:
            try:
                measured = Measured(sys.argv[1], int(sys.argv[2]), request["prepare"])
                answer({"ready": {"difference": measured.difference, "versions": measured.peer.versions}})
            except Exception as error:
                answer({"refused": (str(error).splitlines() or [type(error).__name__])[0][:160]})
        else:
            answer({"seconds": measured.sample(request["sample"])})


if __name__ == "__main__":
    main()

"""The libraries that compare.py holds attend to, one to a process.

    python peers.py torch|onnxruntime|openvino THREADS

Requests come in on standard input and answers go out on standard output, one JSON object a line:
{"prepare": shape} makes a shape ready, {"sample": true} times it, the end of the input ends the process. A shape that
the library cannot do, or does wrongly, is answered with {"refused": reason}.

Most libraries have several ways to compute one thing, and which is the fastest depends on the shape. So every way is
tried, held to a reference in float64, and the fastest right one is what gets measured.
"""

import contextlib
import json
import os
import re
import statistics
import sys
import time
from types import SimpleNamespace

import numpy as np

SAMPLE_SECONDS = 0.02
# ONNX Runtime's inputs of which decoding has a copy for each turn.
CACHED = ("key", "value", "past_key", "past_value")
# The largest difference from float64 that passes; results are at most a few units large.
TOLERANCE = {"f32": 1e-4, "f16": 5e-3, "bf16": 4e-2}


def last_level_cache_bytes():
    """The largest cache that the system tells of, 32 MiB at least: it decides how many copies decoding goes round."""
    largest = 32 << 20
    for index in range(8):
        with contextlib.suppress(OSError, ValueError):
            with open(f"/sys/devices/system/cpu/cpu0/cache/index{index}/size") as file:
                text = file.read().strip()
            largest = max(largest, int(text.rstrip("KM")) << {"K": 10, "M": 20}.get(text[-1], 0))
    return largest


def bfloat16_bits(array):
    """NumPy has no bfloat16: the upper half of each float32, rounded to the nearest, ties to even."""
    bits = array.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def aligned_copy(array):
    """NumPy aligns to 16 bytes alone, which would slow wide vectors down."""
    memory = np.empty(array.nbytes + 64, np.uint8)
    start = -memory.ctypes.data % 64
    copy = memory[start:start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


class Problem:
    """The operands of one shape, and what some rows of the result have to be."""

    def __init__(self, shape):
        self.shape = s = shape
        random = np.random.default_rng(1)
        self.query = self.rounded(random, s.batch, s.query_heads, s.query_length, s.head_dimension)
        self.key = self.rounded(random, s.batch, s.key_value_heads, s.key_length, s.head_dimension)
        self.value = self.rounded(random, s.batch, s.key_value_heads, s.key_length, s.value_dimension)
        self.group = s.query_heads // s.key_value_heads
        size = self.stored(self.key).nbytes + self.stored(self.value).nbytes
        self.copies = min(64, -(-4 * last_level_cache_bytes() // size)) if s.query_length == 1 else 1
        # Libraries disagree on which keys a causal mask leaves where there are not as many as queries.
        self.needs_mask = s.window_left is not None or (s.causal and s.query_length != s.key_length)
        self.causal = s.causal and not self.needs_mask

    def rounded(self, random, *sizes):
        """Standard normal draws in float32 that the storage type holds exactly."""
        array = random.standard_normal(sizes, dtype=np.float32)
        if self.shape.dtype == "bf16":
            return (bfloat16_bits(array).astype(np.uint32) << 16).view(np.float32)
        return array.astype(np.float16).astype(np.float32) if self.shape.dtype == "f16" else array

    def stored(self, array):
        """The array as it is stored; bfloat16 as its bits."""
        if self.shape.dtype == "bf16":
            return bfloat16_bits(array)
        return array.astype(np.float16) if self.shape.dtype == "f16" else array

    def loaded(self, array):
        """The float32 values of what `stored` gives."""
        return (array.astype(np.uint32) << 16).view(np.float32) if array.dtype == np.uint16 else array

    def allowed(self, row):
        """Which keys a query may see."""
        keys = np.arange(self.shape.key_length)
        allowed = np.ones(len(keys), bool)
        if self.shape.causal:
            allowed &= keys <= row
        if self.shape.window_left is not None:
            allowed &= keys >= row - self.shape.window_left
        return allowed

    def mask(self):
        return np.stack([self.allowed(row) for row in range(self.shape.query_length)])

    def additive_mask(self):
        return np.where(self.mask(), np.float32(0), np.float32(-np.inf))

    def difference(self, output):
        """The largest difference from float64 in a few rows; everything would take minutes for the large shapes."""
        s, largest = self.shape, 0.0
        for batch in {0, s.batch - 1}:
            for head in {0, s.query_heads - 1}:
                for row in {0, s.query_length // 2, s.query_length - 1}:
                    allowed = self.allowed(row)
                    key = self.key[batch, head // self.group, allowed].astype(np.float64)
                    value = self.value[batch, head // self.group, allowed].astype(np.float64)
                    scores = key @ self.query[batch, head, row].astype(np.float64) / np.sqrt(s.head_dimension)
                    weights = np.exp(scores - scores.max())
                    found = output[batch, head, row].astype(np.float64)
                    difference = np.abs(weights @ value / weights.sum() - found).max()
                    largest = max(largest, float("inf") if np.isnan(difference) else float(difference))
        return largest


# Each peer gives its versions and, for a problem, (label, build) of every way it has. build() gives (call, result):
# call(i) computes with the i-th copy of keys and values, result() is the output as [batch, head, query, dimension].


class Torch:
    def __init__(self, threads):
        import torch

        self.torch = torch
        torch.set_num_threads(threads)
        self.versions = {"torch": torch.__version__}

    def ways(self, p):
        if p.needs_mask:
            yield "boolean mask", lambda: self.build(p, mask=p.mask())
            yield "additive mask", lambda: self.build(p, mask=p.additive_mask())
        else:
            yield "", lambda: self.build(p)
        if p.group > 1:
            yield "heads expanded without a copy", lambda: self.build(p, p.mask() if p.needs_mask else None, True)

    def build(self, p, mask=None, expand=False):
        torch, s = self.torch, p.shape
        attention = torch.nn.functional.scaled_dot_product_attention
        dtype = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[s.dtype]
        query = torch.from_numpy(p.query).to(dtype, copy=True)
        pairs = [(torch.from_numpy(p.key).to(dtype, copy=True), torch.from_numpy(p.value).to(dtype, copy=True))
                 for _ in range(p.copies)]
        options = {"is_causal": p.causal, "enable_gqa": p.group > 1 and not expand}
        if mask is not None:
            mask = torch.from_numpy(mask)
            options["attn_mask"] = mask if mask.dtype == torch.bool else mask.to(dtype, copy=True)
        if expand:
            # With each head of keys as a batch entry of its own, the heads of its queries see it through a stride of 0.
            query = query.view(-1, p.group, s.query_length, s.head_dimension)
            pairs = [[t.view(-1, 1, *t.shape[2:]).expand(-1, p.group, -1, -1) for t in pair] for pair in pairs]
        output = None

        def call(index):
            nonlocal output
            with torch.inference_mode():
                output = attention(query, *pairs[index % len(pairs)], **options)

        return call, lambda: output.float().numpy().reshape(s.batch, s.query_heads, s.query_length, s.value_dimension)


class OnnxRuntime:
    def __init__(self, threads):
        import onnx
        import onnxruntime

        self.onnx, self.runtime = onnx, onnxruntime
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads
        self.options.log_severity_level = 4
        # Its idle threads would otherwise spin while another library is measured.
        self.options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.versions = {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__}

    def ways(self, p):
        # Opset 25 has windows, but ONNX Runtime 1.32 takes it apart into small steps: slower, and gigabytes more.
        s = p.shape
        yield "Attention", lambda: self.attention(p)
        if p.group == 1:
            yield "MultiHeadAttention", lambda: self.multi_head(p)
        decode = s.query_length == 1 and not s.causal and s.window_left is None
        if s.head_dimension == s.value_dimension and (decode or s.causal and s.query_length == s.key_length):
            yield "GroupQueryAttention", lambda: self.group_query(p, decode)

    def attention(self, p):
        inputs = self.operands(p, lambda array: array)
        if p.needs_mask:
            inputs["mask"] = p.stored(p.additive_mask())
        sizes = p.query.shape[:3] + p.value.shape[3:]
        return self.build(p, ("Attention", "", 23), {"is_causal": int(p.causal)}, inputs, {"output": sizes})

    def multi_head(self, p):
        s = p.shape
        inputs = self.operands(p, self.packed)
        if p.needs_mask:
            inputs |= {"": None, " ": None, "mask": p.stored(p.additive_mask())[None, None]}
        attributes = {"num_heads": s.query_heads, "unidirectional": int(p.causal)}
        sizes = {"output": (s.batch, s.query_length, s.query_heads * s.value_dimension)}
        return self.build(p, ("MultiHeadAttention", "com.microsoft", 1), attributes, inputs, sizes)

    def group_query(self, p, decode):
        """A step of decoding reads all keys but the last from a cache, and writes the last into it, in place."""
        s = p.shape
        inputs = self.operands(p, self.packed)
        cache = {"past_key": p.stored(p.key), "past_value": p.stored(p.value)} if decode else {"": None, " ": None}
        if decode:
            inputs["key"], inputs["value"] = (np.ascontiguousarray(inputs[n][:, -1:]) for n in ("key", "value"))
        inputs |= cache
        inputs["last"] = np.full(s.batch, s.key_length - 1, np.int32)
        inputs["total"] = np.array([s.key_length], np.int32)
        attributes = {"num_heads": s.query_heads, "kv_num_heads": s.key_value_heads}
        if s.window_left is not None:
            attributes["local_window_size"] = s.window_left + 1
        sizes = {"output": (s.batch, s.query_length, s.query_heads * s.value_dimension),
                 "present_key": p.key.shape, "present_value": p.value.shape}
        shared = {"present_key": "past_key", "present_value": "past_value"} if decode else {}
        return self.build(p, ("GroupQueryAttention", "com.microsoft", 1), attributes, inputs, sizes, shared)

    def operands(self, p, arranged):
        return {"query": arranged(p.stored(p.query)), "key": arranged(p.stored(p.key)),
                "value": arranged(p.stored(p.value))}

    @staticmethod
    def packed(array):
        """[batch, head, position, dimension] as [batch, position, head · dimension]."""
        batch, heads, length, dimension = array.shape
        return np.ascontiguousarray(array.transpose(0, 2, 1, 3)).reshape(batch, length, heads * dimension)

    def build(self, p, operator, attributes, inputs, sizes, shared={}):
        """Binds every tensor once; `shared` outputs are written over inputs. Inputs with blank names are left out."""
        given = {name: array for name, array in inputs.items() if array is not None}
        outputs = {name: np.zeros(size, p.stored(p.query[:0]).dtype) for name, size in sizes.items()}
        session = self.session(operator, attributes, [name.strip() for name in inputs], given, outputs)
        fixed = {name: self.tensor(given[name]) for name in given if name not in CACHED}
        results = {name: self.tensor(array) for name, array in outputs.items() if name not in shared}
        bindings = []
        for _ in range(p.copies):
            tensors = fixed | {name: self.tensor(given[name]) for name in given if name in CACHED}
            binding = session.io_binding()
            for name, tensor in tensors.items():
                binding.bind_ortvalue_input(name, tensor)
            for name in outputs:
                binding.bind_ortvalue_output(name, tensors[shared[name]] if name in shared else results[name])
            bindings.append((binding, tensors))

        def result():
            s, found = p.shape, p.loaded(results["output"].numpy())
            if found.ndim == 4:
                return found
            return found.reshape(s.batch, s.query_length, s.query_heads, s.value_dimension).transpose(0, 2, 1, 3)

        return lambda index: session.run_with_iobinding(bindings[index % len(bindings)][0]), result

    def session(self, operator, attributes, names, inputs, outputs):
        """A model of one node."""
        name, domain, version = operator
        helper = self.onnx.helper
        node = helper.make_node(name, names, list(outputs), domain=domain, **attributes)
        described = [[helper.make_tensor_value_info(name, self.element(array), array.shape)
                      for name, array in arrays.items()] for arrays in (inputs, outputs)]
        opsets = [helper.make_opsetid(domain, version)] + ([helper.make_opsetid("", 23)] if domain else [])
        model = helper.make_model(
            helper.make_graph([node], "attention", *described), opset_imports=opsets, ir_version=10)
        return self.runtime.InferenceSession(
            model.SerializeToString(), self.options, providers=["CPUExecutionProvider"])

    def element(self, array):
        kinds = {"float32": "FLOAT", "float16": "FLOAT16", "uint16": "BFLOAT16", "int32": "INT32"}
        return getattr(self.onnx.TensorProto, kinds[array.dtype.name])

    def tensor(self, array):
        return self.runtime.OrtValue.ortvalue_from_numpy_with_onnx_type(aligned_copy(array), self.element(array))


class OpenVino:
    def __init__(self, threads):
        import openvino

        self.openvino = openvino
        self.core = openvino.Core()
        self.settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
                         "INFERENCE_PRECISION_HINT": "f32"}
        self.versions = {"openvino": openvino.__version__.split("-")[0]}

    def ways(self, p):
        masks = {"boolean mask": p.mask, "additive mask": p.additive_mask} if p.needs_mask else {"": lambda: None}
        for label, mask in masks.items():
            if p.group == 1:
                yield label, lambda mask=mask: self.build(p, mask(), False)
                continue
            comma = ", " if label else ""
            yield f"{label}{comma}heads broadcast in the graph", lambda mask=mask: self.build(p, mask(), False)
            yield f"{label}{comma}heads broadcast by the operation", lambda mask=mask: self.build(p, mask(), True)

    def build(self, p, mask, by_operation):
        arrays = [p.stored(p.query), p.stored(p.key), p.stored(p.value)]
        if by_operation:
            # Each head of keys as a batch entry of its own, seen by all heads of its queries.
            arrays = [array.reshape(-1, heads, *array.shape[2:]) for array, heads in zip(arrays, (p.group, 1, 1))]
        if mask is not None:
            arrays.append(mask if mask.dtype == bool else p.stored(mask))
        model = self.model(arrays, 1 if by_operation else p.group, p.causal)
        compiled = self.core.compile_model(model, "CPU", self.settings)
        fixed = {index: self.tensor(array) for index, array in enumerate(arrays) if index not in (1, 2)}
        requests = []
        for _ in range(p.copies):
            requests.append(compiled.create_infer_request())
            for index, tensor in (fixed | {index: self.tensor(arrays[index]) for index in (1, 2)}).items():
                requests[-1].set_input_tensor(index, tensor)

        def result():
            s, found = p.shape, requests[0].get_output_tensor(0).data
            found = p.loaded(found.view(np.uint16) if s.dtype == "bf16" else found)
            return found.reshape(s.batch, s.query_heads, s.query_length, s.value_dimension)

        return lambda index: requests[index % len(requests)].infer(share_outputs=True), result

    def model(self, arrays, group, causal):
        import openvino.opset13 as ops

        parameters = [ops.parameter(list(array.shape), self.element(array)) for array in arrays]
        nodes = list(parameters)
        if group > 1:
            nodes[1:3] = [self.broadcast(ops, node, group) for node in nodes[1:3]]
        return self.openvino.Model([ops.scaled_dot_product_attention(*nodes, causal=causal)], parameters, "attention")

    def element(self, array):
        kinds = {"float32": "f32", "float16": "f16", "uint16": "bf16", "bool": "boolean"}
        return getattr(self.openvino.Type, kinds[array.dtype.name])

    def tensor(self, array):
        made = self.openvino.Tensor(self.element(array), list(array.shape))
        made.data.view(array.dtype)[...] = array
        return made

    @staticmethod
    def broadcast(ops, node, group):
        batch, heads, length, dimension = list(node.output(0).get_shape())
        wide = ops.broadcast(ops.unsqueeze(node, ops.constant(2)), [batch, heads, group, length, dimension])
        return ops.reshape(wide, [batch, heads * group, length, dimension], False)


PEERS = {"torch": Torch, "onnxruntime": OnnxRuntime, "openvino": OpenVino}


class Measured:
    """A call that is ready to be timed."""

    def __init__(self, call, difference):
        self.call, self.difference, self.count = call, difference, 0
        times = [self.timed(1)]
        while sum(times) < 2 and (len(times) < 3 or sum(times) < SAMPLE_SECONDS):
            times.append(self.timed(1))
        self.seconds = statistics.median(times)

    def timed(self, calls):
        start = time.perf_counter()
        for index in range(self.count, self.count + calls):
            self.call(index)
        self.count += calls
        return (time.perf_counter() - start) / calls

    def sample(self):
        """Seconds for a call. The call before is not counted: it wakes the threads that slept while others worked."""
        first = self.timed(1)
        return self.timed(max(1, int(np.ceil(SAMPLE_SECONDS / min(first, self.seconds)))))


def prepare(peer, shape):
    """The fastest right way, and what to tell of it; or None and why there is none."""
    problem = Problem(SimpleNamespace(**shape))
    best, told, tried = None, {}, {}
    for label, build in peer.ways(problem):
        try:
            call, result = build()
            call(0)
            difference = problem.difference(result())
            if difference > TOLERANCE[problem.shape.dtype]:
                tried[label] = f"wrong by {difference:.2g}"
                continue
            measured = Measured(call, difference)
        except Exception as error:
            tried[label] = brief(error)
            continue
        tried[label] = measured.seconds
        if best is None or measured.seconds < best.seconds:
            best, told = measured, {"label": label, "difference": difference}
    if best is None:
        return None, {"refused": "; ".join(f"{k}: {v}" if k else v for k, v in tried.items()), "tried": tried}
    return best, {"ready": told, "tried": tried}


def brief(error):
    """One line of an error, without its code numbers."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : ", "", lines[0])[:160]


def main():
    # Libraries that print would break the exchange: what they print goes to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    peer, measured = PEERS[sys.argv[1]](int(sys.argv[2])), None
    answer({"versions": peer.versions})
    for line in sys.stdin:
        request = json.loads(line)
        if "prepare" in request:
            measured = None  # Gives its memory back first.
            measured, reply = prepare(peer, request["prepare"])
            answer(reply)
        else:
            answer({"seconds": measured.sample()})


if __name__ == "__main__":
    main()

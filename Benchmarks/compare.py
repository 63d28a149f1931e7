#!/usr/bin/env python3
"""Times `attend bench` and other attention libraries in turns on this machine, and prints one table.

Timings taken at different moments do not compare: clocks change, neighbours come and go. So a shape is measured in
rounds, each of which gives every contender one sample, and medians over the rounds are shown. The peers live in
processes of their own (peers.py), in a virtual environment that this program makes; they sleep while it is not their
turn. Needs Python 3.10 or later on Linux or macOS, and nothing else.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import select
import statistics
import subprocess
import sys
import tempfile
import venv
from dataclasses import asdict, dataclass

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent
PACKAGES = {
    "torch": ["torch", "numpy"], "onnxruntime": ["onnxruntime", "onnx", "numpy"], "openvino": ["openvino", "numpy"],
    "transformers": ["transformers"]}
PEERS = ["torch", "onnxruntime", "openvino"]
STANDARD = [
    "1,8,8,512,512,64", "1,8,8,1024,1024,64", "1,8,8,1024,1024,128", "1,8,8,4096,4096,64",
    "1,8,8,2048,2048,64 causal", "1,8,8,8192,8192,64 causal window-left 255", "1,12,12,128,128,64",
    "32,12,12,128,128,32", "1,32,32,1,4096,128", "1,32,8,1,4096,128", "1,8,8,1024,1024,64 f16",
    "1,8,8,1024,1024,64 bf16", "1,8,8,1000,1003,72", "1,8,8,1024,1024,35", "1,8,8,1024,1024,80", "1,8,8,1024,1024,96",
    "1,8,8,1024,1024,192,128"]
# Peers without windows compute every score of a long sequence: seconds for each sample.
LONG_MASK, LONG_MASK_ROUNDS = 4096 * 4096, 4
# Where the peak fell to less than this part of its best, other programs had the processor.
QUIET = 0.8
PATIENCE = 900
MARKERS = ("<!-- bench:begin -->", "<!-- bench:end -->")


class Failure(Exception):
    """Something to tell the user in one line."""


@dataclass(frozen=True)
class Shape:
    batch: int
    query_heads: int
    key_value_heads: int
    query_length: int
    key_length: int
    head_dimension: int
    value_dimension: int
    causal: bool = False
    window_left: int | None = None
    dtype: str = "f32"

    @staticmethod
    def parsed(text):
        """`B,Hq,Hkv,Lq,Lk,D[,Dv]`, then any of `causal`, `window-left N`, `f32`, `f16`, `bf16`."""
        sizes, *words = text.split() or [""]
        try:
            numbers = [int(part) for part in sizes.split(",")]
            options = {}
            while words:
                word = words.pop(0)
                if word == "causal":
                    options["causal"] = True
                elif word == "window-left":
                    options["window_left"] = int(words.pop(0))
                elif word in ("f32", "f16", "bf16"):
                    options["dtype"] = word
                else:
                    raise ValueError
            if len(numbers) not in (6, 7) or min(numbers) < 1 or numbers[1] % numbers[2]:
                raise ValueError
            if options.get("window_left", 0) < 0:
                raise ValueError
        except (ValueError, IndexError):
            raise argparse.ArgumentTypeError(
                "expected 'B,Hq,Hkv,Lq,Lk,D[,Dv] [causal] [window-left N] [f16|bf16]', numbers from 1 on, "
                f"Hq a multiple of Hkv; found '{text}'") from None
        return Shape(*numbers, *numbers[5:6] * (7 - len(numbers)), **options)

    @property
    def label(self):
        sizes = list(asdict(self).values())[:7]
        text = ",".join(map(str, sizes[:6] if sizes[5] == sizes[6] else sizes))
        text += " causal" if self.causal else ""
        text += f" window-left {self.window_left}" if self.window_left is not None else ""
        return text if self.dtype == "f32" else f"{text} {self.dtype}"

    @property
    def arguments(self):
        sizes = [str(size) for size in list(asdict(self).values())[:7]]
        window = [] if self.window_left is None else ["--window-left", str(self.window_left)]
        return ["--shape", ",".join(sizes), "--dtype", self.dtype] + ["--causal"] * self.causal + window

    def rounds(self, wanted):
        long = self.window_left is not None and self.query_length * self.key_length > LONG_MASK
        return min(wanted, LONG_MASK_ROUNDS) if long else wanted


def tell(text):
    print(text, file=sys.stderr, flush=True)


def last_line(text, otherwise):
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    return lines[-1] if lines else otherwise


# The environment


def environment_python(folder):
    """The interpreter of the virtual environment, which is made where there is none."""
    python = folder / "bin/python"
    if not python.exists():
        tell(f"making a virtual environment in {folder}")
        try:
            venv.create(folder, with_pip=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Failure(f"no virtual environment in {folder}: {error}; is Python's venv module complete?") from None
    return python


def install(python, folder, peer):
    """Installs what a peer needs. A file tells that it got to its end; without it an earlier try may be half there."""
    done = folder / f"complete-{peer}"
    if done.exists():
        return
    tell(f"installing {' '.join(PACKAGES[peer])} (once; several minutes, and gigabytes for torch with GPU support)")
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES[peer]]
    found = subprocess.run(command, stdout=sys.stderr, stderr=subprocess.PIPE, text=True)
    if found.returncode:
        raise Failure(f"cannot be installed: {last_line(found.stderr, f'pip ended with {found.returncode}')}")
    done.touch()


# The contenders


class Peer:
    """A peer's process. Refusals and breakdowns come as `Failure`; after a breakdown a new process is started."""

    def __init__(self, name, python, threads, script="peers.py"):
        self.name, self.process = name, None
        self.command = [python, HERE / script, name, str(threads)]
        # Threads that wait must not spin: another contender is being measured then.
        self.environment = dict(
            os.environ, OMP_NUM_THREADS=str(threads), OMP_WAIT_POLICY="PASSIVE", KMP_BLOCKTIME="0")
        self.errors = tempfile.TemporaryFile("w+")
        self.broken = False
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            env=self.environment)
        self.versions = self.answer()["versions"]

    def answer(self):
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            self.stop()
            raise Failure(f"gave no answer within {PATIENCE} s")
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            self.process = None
            self.errors.seek(0)
            raise Failure(f"its process ended with {status}: {last_line(self.errors.read(), 'no message')}")
        return json.loads(line)

    def ask(self, request):
        """Raises `Failure` where the process breaks down; that is remembered for the exit status."""
        try:
            if self.process is None:
                self.start()
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            return self.answer()
        except BrokenPipeError:
            self.broken = True
            self.stop()
            raise Failure("its process ended") from None
        except Failure:
            self.broken = True
            raise

    def prepare(self, work):
        """`work` as a dictionary: what peers.py or embedding_peers.py reads."""
        reply = self.ask({"prepare": work})
        if "refused" in reply:
            raise Failure(reply["refused"])
        return reply

    def sample(self):
        return self.ask({"sample": True})["seconds"]

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Attend:
    """This package's program, started anew for each round."""

    def __init__(self, options):
        self.program, self.options = options.attend, options
        self.environment = dict(os.environ, POCL_MAX_PTHREAD_COUNT=str(options.threads))
        if not os.access(self.program, os.X_OK):
            raise Failure(f"no program at {self.program}; build it: swift build -c release --product attend")

    def answer(self, *arguments):
        command = [self.program, *arguments, "--json"]
        try:
            found = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"gave no answer within {PATIENCE} s") from None
        if found.returncode:
            raise Failure(last_line(found.stderr, f"ended with {found.returncode}").removeprefix("error: "))
        return json.loads(found.stdout)

    def sample(self, shape):
        options = ["--repeat", str(self.options.repeat), "--threads", str(self.options.threads)]
        options += ["--device", self.options.device] if self.options.device else []
        return self.answer("bench", *shape.arguments, *options)["results"][0]

    def device(self, selector):
        devices = {device["selector"]: device for device in self.answer("devices")["devices"]}
        found = devices.get(selector, {})
        driver = found.get("limits", {}).get("driver")
        return f"{found.get('name', selector)} ({found.get('platform', 'unknown')}{f' {driver}' if driver else ''})"


# Measuring


class Row:
    """One shape: samples, or why there are none."""

    def __init__(self, shape):
        self.shape, self.ours, self.peers, self.told, self.reasons = shape, [], {}, {}, {}

    def prepare(self, peers):
        """The peers that can do this shape."""
        able = []
        for name, peer in peers.items():
            tell(f"  preparing {name}")
            try:
                self.told[name] = peer.prepare(asdict(self.shape))
                self.peers[name] = []
                able.append(peer)
            except Failure as failure:
                self.refuse(name, failure)
        return able

    def refuse(self, name, failure):
        self.reasons[name] = str(failure)
        self.peers.pop(name, None)
        tell(f"  {name}: {failure}")

    def measure(self, attend, peers, rounds):
        able = self.prepare(peers)
        for turn in range(rounds):
            tell(f"  round {turn + 1} of {rounds}")
            try:
                self.ours.append(attend.sample(self.shape))
            except Failure as failure:
                self.refuse("attend", failure)
            for peer in able:
                # A peer that broke down in an earlier round is out.
                if peer.name in self.peers:
                    try:
                        self.peers[peer.name].append(peer.sample() * 1e3)
                    except Failure as failure:
                        self.refuse(peer.name, failure)

    def median(self, key):
        values = [sample[key] for sample in self.ours if sample[key] is not None]
        return statistics.median(values) if values else None

    @property
    def disturbance(self):
        """What to tell of a machine that was not left alone: medians and shares are then worth less."""
        peaks = [sample["peak_gflops"] for sample in self.ours if sample["peak_gflops"]]
        if not peaks or min(peaks) >= QUIET * max(peaks):
            return None
        return f"disturbed: in some rounds the peak fell below {QUIET} of its best, so others had the processor too"

    @property
    def milliseconds(self):
        """Medians of the peers."""
        return {name: statistics.median(samples) for name, samples in self.peers.items()}

    @property
    def json(self):
        return {"shape": asdict(self.shape), "label": self.shape.label, "attend": self.ours, "peers_ms": self.peers,
                "peers_told": self.told, "reasons": self.reasons}


# Showing


def shown(milliseconds):
    if milliseconds is None:
        return "-"
    return f"{milliseconds:.3f}" if milliseconds < 10 else f"{milliseconds:.1f}"


class Table:
    """The rows as text, and the footnotes that its cells refer to."""

    def __init__(self, rows, peers):
        self.notes, self.peers = [], peers
        self.head = ["shape", "kernel", "ours ms", "share", *(f"{name} ms" for name in peers), "times best peer"]
        self.cells = [self.line(row) for row in rows]

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)
        return f" [{self.notes.index(text) + 1}]"

    def line(self, row):
        ours, share = row.median("median_ms"), "-"
        for kind in ("stream", "peak"):
            found = row.median(f"share_of_{kind}")
            if found is not None and share == "-":
                share = f"{found:.2f} {kind}"
        first = shown(ours) + (self.note(f"attend: {row.reasons['attend']}") if "attend" in row.reasons else "")
        first += self.note(row.disturbance) if row.disturbance else ""
        best = min(row.milliseconds.values(), default=None)
        kernels = " or ".join(sorted({sample["kernel"] for sample in row.ours})) or "-"
        return [row.shape.label, kernels, first, share, *(self.peer(row, name) for name in self.peers),
                f"{best / ours:.2f}" if best and ours else "-"]

    def peer(self, row, name):
        if name not in row.peers:
            return "-" + self.note(f"{name}: {row.reasons[name]}")
        label = row.told[name]["ready"]["label"]
        return shown(row.milliseconds[name]) + (self.note(f"{name}: {label}") if label else "")

    def text(self, markdown):
        if markdown:
            lines = [self.head, ["---", "---"] + ["--:"] * (len(self.head) - 2), *self.cells]
            return ["| " + " | ".join(line) + " |" for line in lines]
        widths = [max(len(line[column]) for line in [self.head, *self.cells]) for column in range(len(self.head))]
        return ["  ".join(cell.ljust(width) if column < 2 else cell.rjust(width)
                          for column, (cell, width) in enumerate(zip(line, widths))).rstrip()
                for line in [self.head, *self.cells]]

    def footnotes(self):
        return [f"{number}. {text}" for number, text in enumerate(self.notes, 1)]


def processor_name():
    """The model, which Python's `platform` does not know on Linux."""
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def differences(rows, name):
    """The largest difference from float64 of a peer over all shapes of a type."""
    found = {}
    for row in rows:
        if name in row.peers:
            dtype, value = row.shape.dtype, row.told[name]["ready"]["difference"]
            found[dtype] = max(value, found.get(dtype, 0))
    return ", ".join(f"{value:.1e} in {dtype}" for dtype, value in found.items())


def header(options, rows, versions, device):
    date = datetime.date.today().isoformat()
    rounds = " or ".join(str(count) for count in sorted({row.shape.rounds(options.rounds) for row in rows}))
    checks = "; ".join(f"{name} {found}" for name in options.peers if (found := differences(rows, name)))
    return [
        f"{date}, {processor_name()}, {options.threads} of {processors()} processors, {device}.",
        f"Peers: {', '.join(f'{name} {version}' for name, version in versions.items()) or 'none'}.",
        f"Medians of {rounds} rounds in which all take turns. The share is of the processor's multiply-add peak or, "
        "with one query, of the memory's stream.",
        "With f16 and bf16 storage attend computes in f32; the peers choose their own arithmetic.",
        f"Largest difference of the peers from float64, in a few rows: {checks or 'none looked at'}."]


def report(options, rows, versions, device, markdown):
    table = Table(rows, options.peers)
    parts = [header(options, rows, versions, device), table.text(markdown), table.footnotes()]
    return "\n\n".join("\n".join(part) for part in parts if part)


def readme_parts(path, markers=MARKERS):
    """What stands before and after the place of a table."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Failure(f"--update-readme: {path}: {error.strerror}") from None
    begin, end = (text.find(marker + "\n") for marker in markers)
    if begin < 0 or end < begin:
        raise Failure(f"--update-readme: {path}: expected the lines {markers[0]} and {markers[1]}, in this order")
    return text[:begin + len(markers[0]) + 1], text[end:]


# The program


def processors():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parsed_arguments():
    def positive(text):
        if not text.isdecimal() or int(text) < 1:
            raise argparse.ArgumentTypeError(f"expected a number from 1 on, found '{text}'")
        return int(text)

    def names(text):
        found = [name for name in text.split(",") if name]
        if unknown := [name for name in found if name not in PEERS]:
            raise argparse.ArgumentTypeError(f"expected some of {','.join(PEERS)}, found '{unknown[0]}'")
        return found

    parser = argparse.ArgumentParser(
        description="Times `attend bench` and PyTorch, ONNX Runtime and OpenVINO in turns, on the same threads.",
        epilog="The peers are installed once with pip, from the index that pip is configured for; on Linux torch comes "
        "with gigabytes of GPU libraries unless that index (PIP_INDEX_URL) has builds for the CPU alone. Decode shapes "
        "(one query) go round copies of keys and values larger than the caches. A peer that cannot do a shape is '-' "
        "with a footnote. Exit status: 0; 1 if attend failed, a peer could not be installed or one broke down.")
    parser.add_argument("--shape", action="append", type=Shape.parsed, metavar="TEXT",
                        help="time this shape, for example '1,8,8,2048,2048,64 causal window-left 255 f16'; may be "
                        "repeated (default: a standard list)")
    parser.add_argument("--rounds", type=positive, default=9, help="samples of each contender (default: 9)")
    parser.add_argument("--repeat", type=positive, default=5, help="--repeat of attend bench, each round (default: 5)")
    parser.add_argument("--threads", type=positive, default=processors(),
                        help="threads of each contender; of the OpenCL drivers, PoCL alone obeys (default: one a "
                        "processor)")
    parser.add_argument("--device", help="--device of attend bench (default: its own choice)")
    parser.add_argument("--peers", type=names, default=PEERS, metavar="LIST",
                        help=f"which peers, with commas (default: {','.join(PEERS)})")
    parser.add_argument("--attend", type=pathlib.Path, default=REPOSITORY / ".build/release/attend", metavar="FILE",
                        help="the program (default: .build/release/attend)")
    parser.add_argument("--env", type=pathlib.Path, default=REPOSITORY / ".build/compare-env", metavar="DIR",
                        help="the peers' virtual environment (default: .build/compare-env)")
    parser.add_argument("--markdown", action="store_true", help="print the table in markdown")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every sample to this file")
    parser.add_argument("--update-readme", type=pathlib.Path, metavar="FILE",
                        help=f"put the table between the lines {MARKERS[0]} and {MARKERS[1]} of this file")
    return parser.parse_args()


def started_peers(options):
    """The peers that work, and why the others do not."""
    peers, reasons = {}, {}
    python = environment_python(options.env) if options.peers else None
    for name in options.peers:
        try:
            install(python, options.env, name)
            tell(f"starting {name}")
            peers[name] = Peer(name, python, options.threads)
        except Failure as failure:
            reasons[name] = str(failure)
            tell(f"{name}: {failure}")
    return peers, reasons


def measure(options, attend, peers, reasons):
    """The rows; what is there so far is written after each, so that an interruption loses little."""
    shapes, rows = options.shape or [Shape.parsed(text) for text in STANDARD], []
    for number, shape in enumerate(shapes, 1):
        tell(f"{number} of {len(shapes)}: {shape.label}")
        row = Row(shape)
        row.reasons |= reasons
        row.measure(attend, peers, shape.rounds(options.rounds))
        rows.append(row)
        if options.json:
            versions = {name: peer.versions for name, peer in peers.items()}
            found = {"threads": options.threads, "processor": processor_name(), "versions": versions,
                     "rows": [row.json for row in rows]}
            options.json.write_text(json.dumps(found, indent=1) + "\n")
    return rows


def run(options):
    attend = Attend(options)
    if options.update_readme:
        readme_parts(options.update_readme)
    peers, reasons = started_peers(options)
    try:
        rows = measure(options, attend, peers, reasons)
    finally:
        for peer in peers.values():
            peer.stop()
    selectors = [sample["device"]["selector"] for row in rows for sample in row.ours]
    device = attend.device(selectors[0]) if selectors else "no device"
    versions = {name: version for peer in peers.values() for name, version in peer.versions.items()}
    print(report(options, rows, versions, device, options.markdown))
    if options.update_readme:
        before, after = readme_parts(options.update_readme)
        text = report(options, rows, versions, device, markdown=True)
        options.update_readme.write_text(f"{before}\n{text}\n\n{after}", encoding="utf-8")
    failed = reasons or any("attend" in row.reasons for row in rows) or any(peer.broken for peer in peers.values())
    return 1 if failed else 0


def main():
    try:
        sys.exit(run(parsed_arguments()))
    except (Failure, OSError) as failure:
        sys.exit(f"error: {failure}")
    except KeyboardInterrupt:
        sys.exit("interrupted")


if __name__ == "__main__":
    main()

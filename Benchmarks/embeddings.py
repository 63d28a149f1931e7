#!/usr/bin/env python3
"""Times `attend bench --model` and the same sentence model in PyTorch and ONNX Runtime in turns, and prints one table.

Everybody embeds the same sentences on the same threads: 512 of mixed lengths, and the shortest alone. The peers get
token ids in batches sorted by length, in three sizes of which the fastest counts; attend begins with the text. As in
compare.py, whose parts this uses, every contender has one sample of each a round, and medians over the rounds are shown.
"""

import argparse
import datetime
import math
import pathlib
import random
import statistics
import sys
import tempfile

import compare
from compare import Failure, tell

MARKERS = ("<!-- embeddings:begin -->", "<!-- embeddings:end -->")
PEERS = ["torch", "onnxruntime"]
SIZES = [16, 32, 64]
NOUNS = ("river engine garden letter market window captain mountain number signal teacher harbor village machine winter "
         "question model kernel memory sentence morning bridge forest doctor library city train ocean paper story").split()
VERBS = ("carries finds follows measures opens remembers repairs watches builds answers crosses explains keeps changes "
         "reaches").split()
ADJECTIVES = ("quiet old narrow bright careful distant heavy early simple golden broken patient sudden warm "
              "unknown").split()
ENDS = ["before the sun comes up", "without a word", "for the third time this week", "while everyone is asleep",
        "because nobody else would", "at the end of the long road", "in spite of the rain",
        "as the newspaper said yesterday"]


def sentences(count, seed=7):
    """Sentences of 7 to some 80 tokens, most of them short."""
    draw = random.Random(seed)

    def clause():
        end = f" {draw.choice(ENDS)}" if draw.random() < 0.6 else ""
        return (f"the {draw.choice(ADJECTIVES)} {draw.choice(NOUNS)} {draw.choice(VERBS)} the {draw.choice(NOUNS)}"
                f"{end}")

    lengths = [1, 1, 1, 1, 2, 2, 3, 4, 6]
    return [", and ".join(clause() for _ in range(draw.choice(lengths))).capitalize() + "." for _ in range(count)]


def parsed_arguments():
    def positive(text):
        if not text.isdecimal() or int(text) < 1:
            raise argparse.ArgumentTypeError(f"expected a number from 1 on, found '{text}'")
        return int(text)

    parser = argparse.ArgumentParser(
        description="Times a sentence model in attend, PyTorch and ONNX Runtime in turns, on the same threads.",
        epilog="Exit status: 0; 1 if attend failed, or a peer could not be installed or broke down.")
    parser.add_argument("--model", type=pathlib.Path, default=compare.REPOSITORY / ".build/model", metavar="DIR",
                        help="the model's folder (default: .build/model, made by `make model`)")
    parser.add_argument("--sentences", type=positive, default=512, help="how many (default: 512)")
    parser.add_argument("--rounds", type=positive, default=5, help="samples of each contender (default: 5)")
    parser.add_argument("--threads", type=positive, default=compare.processors(),
                        help="threads of each contender (default: one a processor)")
    parser.add_argument("--device", action="append", metavar="SEL",
                        help="--device of attend; may be repeated (default: its own choice, and native)")
    parser.add_argument("--attend", type=pathlib.Path, default=compare.REPOSITORY / ".build/release/attend",
                        metavar="FILE", help="the program (default: .build/release/attend)")
    parser.add_argument("--env", type=pathlib.Path, default=compare.REPOSITORY / ".build/compare-env", metavar="DIR",
                        help="the peers' virtual environment (default: .build/compare-env)")
    parser.add_argument("--update-readme", type=pathlib.Path, metavar="FILE",
                        help=f"put the table between the lines {MARKERS[0]} and {MARKERS[1]} of this file")
    return parser.parse_args()


def started_peers(options, work):
    """The peers that work, and what they told of themselves."""
    python = compare.environment_python(options.env)
    compare.install(python, options.env, "transformers")
    peers, told = {}, {}
    for name in PEERS:
        compare.install(python, options.env, name)
        tell(f"preparing {name}")
        peers[name] = compare.Peer(name, python, options.threads, "embedding_peers.py")
        told[name] = peers[name].prepare(work)["ready"]
    return peers, told


class Ours:
    """attend on one device."""

    def __init__(self, attend, device, options, texts):
        self.attend, self.device, self.all, self.one, self.name = attend, device, [], [], None
        self.arguments = ["bench", "--model", str(options.model), "--texts", texts, "--threads", str(options.threads),
                          "--repeat", "1"] + (["--device", device] if device else [])

    def sample(self):
        found = self.attend.answer(*self.arguments)["results"][0]
        self.name = f"attend, {found['device']['name']}"
        self.all.append(found["median_ms"])
        self.one.append(found["single_ms"])


def measure(options, texts_file, texts):
    attend = compare.Attend(options)
    tell("embedding once, for the token ids")
    known = attend.answer("embed", "--model", str(options.model), "--device", "native", *texts)["results"]
    work = {"model": str(options.model), "token_ids": [result["token_ids"] for result in known],
            "expected": [result["embedding"] for result in known], "sizes": SIZES}
    ours = [Ours(attend, device, options, texts_file) for device in options.device or [None, "native"]]
    peers, told = started_peers(options, work)
    samples = {name: {size: [] for size in [*SIZES, 1]} for name in peers}
    try:
        for turn in range(options.rounds):
            tell(f"round {turn + 1} of {options.rounds}")
            for our in ours:
                our.sample()
            for name, peer in peers.items():
                for size, kept in samples[name].items():
                    kept.append(peer.ask({"sample": size})["seconds"] * 1e3)
    finally:
        for peer in peers.values():
            peer.stop()
    tokens = sum(map(len, work["token_ids"]))
    return ours, samples, told, tokens


def report(options, ours, samples, told, tokens):
    rows = [(our.name, our.all, our.one, "packed") for our in ours]
    best = [math.inf, math.inf]
    for name, by_size in samples.items():
        versions = ", ".join(f"{key} {value}" for key, value in told[name]["versions"].items())
        size = min(SIZES, key=lambda size: statistics.median(by_size[size]))
        rows.append((versions, by_size[size], by_size[1], str(size)))
        best = [min(best[0], statistics.median(by_size[size])), min(best[1], statistics.median(by_size[1]))]
    lines = ["| | batches of | all, ms | sentences a second | times the best peer | one, ms | times the best peer |",
             "| --- | --: | --: | --: | --: | --: | --: |"]
    for name, everything, one, batch in rows:
        whole, single = statistics.median(everything), statistics.median(one)
        lines.append(f"| {name} | {batch} | {whole:.0f} | {options.sentences / whole * 1e3:.0f} | {best[0] / whole:.2f} "
                     f"| {single:.2f} | {best[1] / single:.2f} |")
    date = datetime.date.today().isoformat()
    head = (f"{date}, {compare.processor_name()}, {options.threads} threads. {options.sentences} sentences, {tokens} tokens, "
            f"and the shortest alone; medians of {options.rounds} rounds in turns.")
    return "\n".join([head, "", *lines])


def run(options):
    if options.update_readme:
        compare.readme_parts(options.update_readme, MARKERS)
    if not (options.model / "model.safetensors").exists():
        raise Failure(f"no model in {options.model}; fetch one: make model")
    texts = sentences(options.sentences)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(texts) + "\n")
        file.flush()
        text = report(options, *measure(options, file.name, texts))
    print(text)
    if options.update_readme:
        before, after = compare.readme_parts(options.update_readme, MARKERS)
        options.update_readme.write_text(f"{before}\n{text}\n\n{after}", encoding="utf-8")


def main():
    try:
        run(parsed_arguments())
    except (Failure, OSError) as failure:
        sys.exit(f"error: {failure}")
    except KeyboardInterrupt:
        sys.exit("interrupted")


if __name__ == "__main__":
    main()

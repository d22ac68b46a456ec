#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a file of runs says, for each kernel and number of workers: the rates, and troupe / best peer.

usage: bench/results.py FILE.jsonl      prints the table, as Markdown

Two figures stand for several runs: the best, which is what the program can do when nothing disturbs it, and
in brackets the median, which is what it did. The better peer is chosen for each of the two on its own.
"""

import json
import statistics
import sys

OURS = "troupe"
# Where what counts is not the rate, and less of it is better.
BYTES = {"idle": ("bytes_per_actor", "bytes/actor")}


def read(path):
    """The machine, and the rows in the order of the file."""
    with open(path) as file:
        where, *runs = map(json.loads, file)
    return where, summarise(runs)


def summarise(runs):
    """One row for each kernel and number of workers."""
    groups = {}
    for run in runs:
        groups.setdefault((run["kernel"], run["workers"]), []).append(run)
    return [row_of(kernel, workers, group) for (kernel, workers), group in groups.items()]


def row_of(kernel, workers, runs):
    key, unit = BYTES.get(kernel, ("rate", runs[0]["unit"]))
    is_less_better = kernel in BYTES
    better = min if is_less_better else max
    samples = {}
    for run in runs:
        samples.setdefault((run["runtime"], run["variant"]), []).append(run[key])
    # Of the variants of a runtime, the one that was best.
    values = {}
    for (runtime, variant), figures in samples.items():
        value = {"best": better(figures), "median": statistics.median(figures), "variant": variant}
        known = values.get(runtime)
        if known is None:
            values[runtime] = value
        elif better(value["best"], known["best"]) == value["best"]:
            values[runtime] = {**value, "median": better(value["median"], known["median"])}
        else:
            known["median"] = better(value["median"], known["median"])
    row = {"kernel": kernel, "workers": workers, "unit": unit, "values": values, "ratio": {}}
    row["others"] = max(run["others"] for run in runs)
    peers = [value for runtime, value in values.items() if runtime != OURS]
    for figure in ("best", "median"):
        if OURS in values and peers:
            mine, theirs = values[OURS][figure], better(peer[figure] for peer in peers)
            row["ratio"][figure] = theirs / mine if is_less_better else mine / theirs
    return row


def figure(value, unit):
    """Three digits or more, in millions where it is a rate."""
    scaled = value if unit == "bytes/actor" else value / 1e6
    return f"{scaled:.0f}" if scaled >= 99.95 else f"{scaled:.3g}" if scaled >= 0.1 else f"{scaled:.2g}"


def place(where):
    """One line that says where and when."""
    versions = where["versions"]
    return (
        f"{where['date']}, {where['processors']} x {where['processor']}, {where['system']}, "
        f"load {where['load']}; "
        f"troupe {where['commit']}, Erlang {versions['erlang-base']}, CAF {versions['libcaf-dev']}"
    )


def table(where, rows):
    runtimes = list(dict.fromkeys(runtime for row in rows for runtime in row["values"]))
    head = ["kernel", "workers", "unit", *runtimes, "ratio", "others"]
    lines = [place(where), "", head, ["---"] * len(head)]
    for row in rows:
        prefix = "" if row["kernel"] in BYTES else "M "
        cells = [row["kernel"], str(row["workers"]), prefix + row["unit"]]
        for runtime in runtimes:
            value = row["values"].get(runtime)
            both = [figure(value[name], row["unit"]) for name in ("best", "median")] if value else []
            cells.append("{} ({})".format(*both) if both else "")
        ratio = row["ratio"]
        cells.append(f"{ratio['best']:.1f} ({ratio['median']:.1f})" if ratio else "")
        cells.append(f"{row['others']:.0%}")
        lines.append(cells)
    return "\n".join(line if isinstance(line, str) else "| " + " | ".join(line) + " |" for line in lines)


def main(arguments):
    if len(arguments) != 1:
        sys.exit("usage: bench/results.py FILE.jsonl")
    print(table(*read(arguments[0])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

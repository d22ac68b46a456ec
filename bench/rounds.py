#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs Troupe's measuring programs and the peers' in turn, and prints what came out; bench/compare calls it.

Every run of every candidate becomes one line of JSON, after a first line that says where; the table and the
drawing are made from that file, and can be made again (bench/results.py FILE, bench/chart.py FILE SVG). A run
that fails, or whose result was not validated, ends the measurement: there is no number without a check.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import threading
import time

import chart
import results

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
RUN_SECONDS_MAX = 900
REPEATS_MAX = 5
REST_SECONDS = 2

# As the table calls it -> program, n, actors. The same sizes for every candidate.
KERNELS = {
    "pingpong": ("pingpong", 5_000_000, 2),
    "ring503": ("ring", 10_000_000, 503),
    "ring100k": ("ring", 10_000_000, 100_000),
    "counting": ("counting", 20_000_000, 2),
    "fanin": ("fanin", 2_000_000, 8),
    "create": ("create", 1_000_000, 1_000_000),
    "idle": ("idle", 1_000_000, 1_000_000),
    "big": ("big", 20_000, 200),
    "bank": ("bank", 5_000_000, 1_000),
    "skynet": ("skynet", 5, 1_111_111),
    "timers": ("timers", 1_000_000, 1),
}
# What --scale must not make smaller: skynet's n counts trees.
N_MIN = {"skynet": 1}
# Room for a million processes, and, where a million die at once, their memory kept for the next.
ERLANG_FLAGS = ["+P", "2097152", "-noshell"]
ERLANG_KERNEL_FLAGS = {"skynet": ["+MMscs", "4000"]}


def troupe(program, workers, sizes):
    return [f"{ROOT}/build/release/bench/{program}", "--workers", str(workers), *sizes]


def erlang(program, workers, sizes):
    flags = ["+S", f"{workers}:{workers}", *ERLANG_FLAGS, *ERLANG_KERNEL_FLAGS.get(program, [])]
    code = ["-pa", f"{ROOT}/build/peers/erlang", "-s", "bench", "main"]
    return ["erl", *flags, *code, "-extra", program, *sizes]


def caf_stealing(program, workers, sizes):
    return [f"{ROOT}/build/peers/caf/{program}", "--workers", str(workers), *sizes]


def caf_sharing(program, workers, sizes):
    return [*caf_stealing(program, workers, sizes), "--sharing", "1"]


# CAF has two schedulers and neither is always the faster: both run, the table shows the better.
CANDIDATES = [
    ("troupe", "", troupe),
    ("erlang", "", erlang),
    ("caf", "stealing", caf_stealing),
    ("caf", "sharing", caf_sharing),
]


# --- one run ------------------------------------------------------------------------------------------------


def busy_seconds():
    """What the machine's processors have worked, or been kept from working by their host, since it began."""
    with open("/proc/stat") as file:
        user, nice, system, _idle, _wait, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def run_once(command):
    """Runs it; returns the line it printed, its use of the machine, and the others' part of it, 0 to 1."""
    began, busy = time.monotonic(), busy_seconds()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    watchdog = threading.Timer(RUN_SECONDS_MAX, child.kill)
    watchdog.start()
    text = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    watchdog.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - began
    if child.returncode != 0:
        sys.exit(f"bench/compare: {' '.join(command)} ended with {child.returncode}: {text}")
    own = usage.ru_utime + usage.ru_stime
    others = max(0.0, busy_seconds() - busy - own) / (took * os.cpu_count())
    return json.loads(text), usage, others


def run_checked(candidate, kernel, workers, scale):
    """One run of one candidate, as it is kept."""
    runtime, variant, command = candidate
    program, n, actors = KERNELS[kernel]
    n = max(N_MIN.get(program, 1000), round(n * scale))
    load = os.getloadavg()[0]
    line, usage, others = run_once(command(program, workers, ["--n", str(n), "--actors", str(actors)]))
    asked = {"kernel": program, "workers": workers, "n": n, "actors": actors, "checked": True}
    wrong = {key: line.get(key) for key, value in asked.items() if line.get(key) != value}
    if wrong:
        sys.exit(f"bench/compare: {runtime} was asked for {asked}, and said {wrong}")
    return {
        **line,
        "runtime": runtime,
        "variant": variant,
        "kernel": kernel,
        "processor_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_bytes": usage.ru_maxrss * 1024,
        "others": round(others, 3),
        "load": round(load, 2),
    }


def run_quietly(candidate, kernel, workers, options):
    """The quietest of several runs, or the first that was quiet enough."""
    runs = []
    while not runs or (runs[-1]["others"] > options.quiet / 100 and len(runs) <= REPEATS_MAX):
        if runs:
            time.sleep(REST_SECONDS)
        runs.append(run_checked(candidate, kernel, workers, options.scale))
    return min(runs, key=lambda run: run["others"])


# --- all of them --------------------------------------------------------------------------------------------


def first_line(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.split("\n")[0].strip()


def machine():
    """Where and with what: the first line of the file."""
    with open("/proc/cpuinfo") as file:
        models = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    packages = ["erlang-base", "libcaf-dev", "gcc"]
    versions = {name: first_line(["dpkg-query", "-W", "-f", "${Version}", name]) for name in packages}
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": models[0] if models else os.uname().machine,
        "processors": os.cpu_count(),
        "system": f"{os.uname().sysname} {os.uname().release}",
        "commit": first_line(["git", "-C", ROOT, "describe", "--always", "--dirty"]),
        "versions": versions,
        "load": round(os.getloadavg()[0], 2),
    }


def options_of(arguments):
    parser = argparse.ArgumentParser(prog="bench/compare")
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help="of " + " ".join(KERNELS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--quiet", type=float, default=100.0)
    parser.add_argument("--out", default=datetime.datetime.now().strftime("%Y-%m-%d-%H%M%S"))
    options = parser.parse_args(arguments)
    options.kernels = options.kernels or list(KERNELS)
    unknown = [name for name in options.kernels if name not in KERNELS]
    if unknown:
        parser.error(f"there is no kernel {unknown[0]}; there are {' '.join(KERNELS)}")
    options.workers = [int(word) for word in options.workers.split(",")]
    if options.rounds < 1 or options.scale <= 0 or min(options.workers) < 1:
        parser.error("--rounds, --workers and --scale are positive")
    return options


def main(arguments):
    options = options_of(arguments)
    folder = os.path.join(ROOT, "bench/results")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, options.out + ".jsonl")
    with open(path, "w") as file:
        print(json.dumps(machine()), file=file, flush=True)
        for number in range(options.rounds):
            # Each round begins with another candidate, so that none always runs on a machine another warmed.
            turn = number % len(CANDIDATES)
            for kernel in options.kernels:
                for workers in options.workers:
                    for candidate in CANDIDATES[turn:] + CANDIDATES[:turn]:
                        run = run_quietly(candidate, kernel, workers, options)
                        print(json.dumps({"round": number + 1, **run}), file=file, flush=True)
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
    where, rows = results.read(path)
    print(results.table(where, rows))
    chart.draw(where, rows, path.removesuffix(".jsonl") + ".svg")
    print(f"\n{os.path.relpath(path)} and .svg")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

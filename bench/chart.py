#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws how many times faster Troupe was than the best of its peers, a bar for each kernel and worker count.

usage: bench/chart.py FILE.jsonl FILE.svg

The scale is logarithmic, so that twice as fast and half as fast are equally far from the line at 1.
"""

import math
import sys
from xml.sax.saxutils import escape

import results

WIDTH = 860
LEFT = 110
RIGHT = 70
TOP = 84
BAR = 12
GAP = 10
COLOURS = ["#2563a8", "#7fb2e5", "#4d7c3a", "#a9c99a"]
INK = "#222222"
PALE = "#d9d9d9"
TICKS = [0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 30, 50, 100]


def text(x, y, words, size=12, anchor="start", weight="normal", colour=INK):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" '
        f'fill="{colour}">{escape(words)}</text>'
    )


def scale_of(ratios):
    """Where a ratio lies, in pixels from the left, and the ticks that are in sight."""
    low = math.log(min(1, *ratios) * 0.95)
    high = math.log(max(2, *ratios) * 1.05)

    def place(ratio):
        return LEFT + (math.log(ratio) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    return place, [tick for tick in TICKS if low <= math.log(tick) <= high]


def svg(where, rows):
    rows = [row for row in rows if row["ratio"]]
    kernels = list(dict.fromkeys(row["kernel"] for row in rows))
    workers = sorted({row["workers"] for row in rows})
    place, ticks = scale_of([1, *(row["ratio"]["best"] for row in rows)])
    step = BAR * len(workers) + GAP
    bottom = TOP + step * len(kernels)
    height = bottom + 58
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        text(16, 26, "Troupe beside the best of Erlang and CAF", 17, weight="bold"),
        text(16, 46, "times as fast (idle: times less memory an actor); best of the runs; logarithmic"),
    ]
    for number, count in enumerate(workers):
        x = 16 + 110 * number
        parts.append(f'<rect x="{x}" y="57" width="11" height="11" fill="{COLOURS[number % len(COLOURS)]}"/>')
        parts.append(text(x + 17, 67, "1 worker" if count == 1 else f"{count} workers"))
    for tick in ticks:
        colour, wide = (INK, 1.5) if tick == 1 else (PALE, 1)
        parts.append(
            f'<line x1="{place(tick):.1f}" y1="{TOP - 4}" x2="{place(tick):.1f}" y2="{bottom}" '
            f'stroke="{colour}" stroke-width="{wide}"/>'
        )
        parts.append(text(place(tick), bottom + 16, f"{tick:g}", 11, "middle"))
    for row in rows:
        y = TOP + step * kernels.index(row["kernel"])
        number = workers.index(row["workers"])
        parts.extend(bar(place, row["ratio"]["best"], y + BAR * number, COLOURS[number % len(COLOURS)]))
    for number, kernel in enumerate(kernels):
        middle = TOP + step * number + BAR * len(workers) / 2 + 4
        parts.append(text(LEFT - 12, middle, kernel, 13, "end"))
    first, _, second = results.place(where).partition("; ")
    parts.append(text(16, bottom + 36, first, 10))
    parts.append(text(16, bottom + 50, second, 10))
    return "\n".join([*parts, "</svg>", ""])


def bar(place, ratio, y, colour):
    """From the line at 1 to the ratio, whichever side it is on, with its figure at the end."""
    left, right = sorted((place(1), place(ratio)))
    size = f'width="{right - left:.1f}" height="{BAR - 1}"'
    yield f'<rect class="bar" x="{left:.1f}" y="{y}" {size} fill="{colour}"/>'
    yield text(right + 5, y + BAR - 2.5, f"{ratio:.1f}", 11)


def draw(where, rows, path):
    with open(path, "w") as file:
        file.write(svg(where, rows))


def main(arguments):
    if len(arguments) != 2:
        sys.exit("usage: bench/chart.py FILE.jsonl FILE.svg")
    draw(*results.read(arguments[0]), arguments[1])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

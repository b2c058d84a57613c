#!/usr/bin/env python3
"""plot.py NUMBERS.json... PLOT.svg: draws what bench.py measured on one machine: the fastest run of each
flow, and of cp and the Python scripts beside it."""

import json
import sys
from xml.sax.saxutils import escape

BAR, GAP, LEFT, WIDTH = 18, 14, 190, 720
COLOURS = {"ckptbridge": "#2a6f97", "cp": "#9aa5b1", "Python": "#c8553d"}


def draw(result):
    flows = result["flows"]
    kinds = [kind for kind in COLOURS if any(kind in flow["runs"] for flow in flows)]
    longest = max(run["wall_min"] for flow in flows for kind, run in flow["runs"].items()
                  if kind in ("ckptbridge", "cp"))
    scale = (WIDTH - LEFT - 190) / longest
    y, shapes = 34, []
    for i, kind in enumerate(kinds):
        x = LEFT + i * 120
        shapes.append(f'<rect x="{x}" y="10" width="12" height="12" fill="{COLOURS[kind]}"/>'
                      f'<text x="{x + 18}" y="20">{kind}</text>')
    for flow in flows:
        rows = [kind for kind in kinds if kind in flow["runs"]]
        middle = y + len(rows) * BAR / 2 + 4
        shapes.append(f'<text x="{LEFT - 10}" y="{middle:.0f}" text-anchor="end">'
                      f'{escape(flow["flow"])}, {max(flow["read"], flow["written"]) / 1e9:.1f} GB</text>')
        for kind in rows:
            run = flow["runs"][kind]
            width = run["wall_min"] * scale
            text = f'{run["wall_min"]:.2f} s, {run["peak"] / 2**20:,.0f} MiB'
            # A script's bar would dwarf all others: it is cut, and says so.
            if width > WIDTH - LEFT - 190:
                width = WIDTH - LEFT - 190
                text = "… " + text
            shapes.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 3}" '
                          f'fill="{COLOURS[kind]}"/>'
                          f'<text x="{LEFT + width + 6:.1f}" y="{y + 12}">{text}</text>')
            y += BAR
        y += GAP
    about = (f'{result["threads"]} threads, {result["machine"]["processor"]}; '
             f'wall time of the fastest run and peak memory')
    shapes.append(f'<text x="{LEFT}" y="{y + 6}" fill="#666">{escape(about)}</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 18}" '
            f'font-family="sans-serif" font-size="12">\n'
            f'<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(shapes) + "\n</svg>\n")


def read(paths):
    """The flows of all files, as those of the first."""
    results = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            results.append(json.load(file))
        if results[-1]["void"]:
            sys.exit(f"{path} is void: " + "; ".join(results[-1]["void"]))
    return {**results[0], "flows": [flow for result in results for flow in result["flows"]]}


if __name__ == "__main__":
    *numbers, plot = sys.argv[1:]
    with open(plot, "w", encoding="utf-8") as file:
        file.write(draw(read(numbers)))

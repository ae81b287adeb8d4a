#!/usr/bin/env python3
"""Draws docs/performance/scaling.svg from the load's reports beside it (*.json). Python's standard library only.

    python3 docs/plot.py
"""

import json
import pathlib

FOLDER = pathlib.Path(__file__).parent / "performance"
WIDTH, HEIGHT, MARGIN = 300, 220, 52

# Title, files, what is on the x axis, what is on the y axis.
PANELS = [
    ("CPU by alerts", "alerts-*.json", ("alerts", lambda r: r["alerts"]), ("s of CPU", lambda r: r["cpuMsPerAlert"] * r["alerts"] / 1000)),
    ("calls by watchers", "watchers-*.json", ("watchers, 1000 alerts", lambda r: r["watchers"]), ("lists read", lambda r: r["calls"]["listCaptures"])),
    ("CPU by captures", "captures-*.json", ("captures listed", lambda r: r["captures"]), ("ms of CPU an alert", lambda r: r["cpuMsPerAlert"])),
    ("memory by captures", "captures-*.json", ("captures listed", lambda r: r["captures"]), ("MiB above idle at most", lambda r: r["residentMiB"]["highest"] - r["residentMiB"]["idle"])),
]


def reports(pattern):
    return [json.loads(path.read_text()) for path in FOLDER.glob(pattern)]


def text(x, y, words, anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>{words}</text>'


def panel(left, title, points, x_name, y_name):
    """One plot, both axes from zero, so that a straight line through the origin means linear."""
    most_x = max(x for x, _ in points) or 1
    most_y = max(y for _, y in points) or 1
    x0, y0 = left + MARGIN, HEIGHT - MARGIN
    wide, high = WIDTH - MARGIN - 20, HEIGHT - MARGIN - 34
    placed = [(x0 + wide * x / most_x, y0 - high * y / most_y) for x, y in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    parts = [
        text(left + WIDTH / 2, 20, title, more='font-weight="bold"'),
        f'<path d="M{x0},{y0 - high} V{y0} H{x0 + wide}" fill="none" stroke="#888"/>',
        f'<polyline points="{line}" fill="none" stroke="#2a6fb0" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#2a6fb0"/>' for x, y in placed),
        text(x0 + wide / 2, y0 + 34, x_name),
        text(x0 + wide, y0 + 16, f"{most_x:,g}"),
        text(x0, y0 + 16, "0"),
        text(x0 - 5, y0 - high + 4, f"{most_y:,.0f}" if most_y >= 100 else f"{most_y:.3g}", "end"),
        text(0, 0, y_name, more=f'transform="translate({left + 14},{y0 - high / 2:.1f}) rotate(-90)"'),
    ]
    return "\n".join(parts)


def main():
    drawn = []
    for title, pattern, (x_name, x), (y_name, y) in PANELS:
        points = sorted((x(report), y(report)) for report in reports(pattern))
        if points:
            drawn.append(panel(len(drawn) * WIDTH, title, points, x_name, y_name))
    size = f'width="{len(drawn) * WIDTH}" height="{HEIGHT}"'
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">', '<rect width="100%" height="100%" fill="white"/>', *drawn, "</svg>"]
    (FOLDER / "scaling.svg").write_text("\n".join(svg) + "\n")


if __name__ == "__main__":
    main()

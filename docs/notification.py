#!/usr/bin/env python3
"""Draws docs/images/notification-{light,dark}.svg: the Teams card of a completed capture, from the snapshot of the test
that renders it, so that the picture cannot show a text that is not sent. Python's standard library only.

    python3 docs/notification.py
"""

import html
import json
import pathlib

ROOT = pathlib.Path(__file__).parent.parent
SNAPSHOT = "**/*notify__format__tests__teams_completed.snap"
IMAGES = ROOT / "docs" / "images"
WIDTH, PADDING, SIZE, LINE = 760, 20, 14, 20

# What a client of Teams uses for the styles of an Adaptive Card, by theme.
THEMES = {
    "light": {"card": "#ffffff", "edge": "#d1d1d1", "text": "#242424", "good": "#237b4b", "band": "#e7f2da", "line": "#e0e0e0", "button": "#ffffff"},
    "dark": {"card": "#292929", "edge": "#4d4d4d", "text": "#f5f5f5", "good": "#92c353", "band": "#1f3324", "line": "#474747", "button": "#292929"},
}
SANS = "'Segoe UI', 'Helvetica Neue', Helvetica, Arial, sans-serif"
MONO = "Consolas, Menlo, 'DejaVu Sans Mono', monospace"


def card():
    """The card in the newest snapshot: the body after its front matter."""
    found = sorted((ROOT / "src").glob(SNAPSHOT)) or sorted(ROOT.glob(SNAPSHOT))
    if not found:
        raise SystemExit(f"no file matches {SNAPSHOT}")
    text = found[0].read_text().split("\n---\n", 1)[1]
    return json.loads(text)["attachments"][0]["content"]


def width(text, size, mono, bold):
    """An estimate on the wide side, since the reader's font is not known."""
    if mono:
        return len(text) * size * 0.61
    narrow, wide = set("iljtfrI.,:;'|!()[]/ "), set("mwMW@%")
    units = sum(0.36 if c in narrow else 0.9 if c in wide else 0.7 if c.isupper() else 0.58 for c in text)
    return units * size * (1.07 if bold else 1.0)


def pieces(text):
    """Where a line may break: after a space, and after a slash in URLs and resource ids."""
    piece = ""
    for c in text:
        piece += c
        if c in " /":
            yield piece
            piece = ""
    if piece:
        yield piece


def lines_of(inlines, size):
    """Lines of runs that fit the card: (text, bold, mono)."""
    lines, used = [[]], 0.0
    for run in inlines:
        bold, mono = run.get("weight") == "Bolder", run.get("fontType") == "Monospace"
        for piece in pieces(run["text"]):
            need = width(piece, size, mono, bold)
            if used + need > WIDTH - 2 * PADDING and lines[-1]:
                lines.append([])
                used = 0.0
            used += need
            if lines[-1] and lines[-1][-1][1:] == (bold, mono):
                lines[-1][-1] = (lines[-1][-1][0] + piece, bold, mono)
            else:
                lines[-1].append((piece, bold, mono))
    return lines


def spans(line):
    parts = []
    for text, bold, mono in line:
        style = ' font-weight="600"' if bold else ""
        style += f' font-family="{MONO}" font-size="13"' if mono else ""
        parts.append(f'<tspan xml:space="preserve"{style}>{html.escape(text)}</tspan>')
    return "".join(parts)


def draw(content, theme):
    color, drawn, y = THEMES[theme], [], 0
    for block in content["body"]:
        if block["type"] == "Container":
            lines = [line for item in block["items"] for line in lines_of(item["inlines"], 20)]
            high = 28 * len(lines) + 20
            drawn.append(f'<path d="M1 9a8 8 0 0 1 8-8h{WIDTH - 18}a8 8 0 0 1 8 8v{high - 9}H1z" fill="{color["band"]}"/>')
            for line in lines:
                y += 28
                drawn.append(f'<text x="{PADDING}" y="{y + 6}" font-size="20" fill="{color["good"]}">{spans(line)}</text>')
            y = high + 6
            continue
        if block.get("separator"):
            y += 10
            drawn.append(f'<path d="M{PADDING} {y}H{WIDTH - PADDING}" stroke="{color["line"]}"/>')
            y += 6
        for line in lines_of(block["inlines"], SIZE):
            y += LINE
            drawn.append(f'<text x="{PADDING}" y="{y}" fill="{color["text"]}">{spans(line)}</text>')
        y += 4
    x, y = PADDING, y + 14
    for action in content["actions"]:
        wide = width(action["title"], SIZE, False, True) + 28
        drawn.append(f'<rect x="{x:.0f}" y="{y}" width="{wide:.0f}" height="32" rx="4" fill="{color["button"]}" stroke="{color["edge"]}"/>')
        drawn.append(f'<text x="{x + wide / 2:.0f}" y="{y + 21}" text-anchor="middle" font-weight="600" fill="{color["text"]}">{html.escape(action["title"])}</text>')
        x += wide + 8
    y += 32 + PADDING
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}" role="img" font-family="{SANS}" font-size="{SIZE}">'
    box = f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{y - 1}" rx="8" fill="{color["card"]}" stroke="{color["edge"]}"/>'
    title = f"<title>{html.escape(content['fallbackText'])}</title>"
    return "\n".join([head, title, box, *drawn, "</svg>"]) + "\n"


def main():
    IMAGES.mkdir(exist_ok=True)
    content = card()
    for theme in THEMES:
        (IMAGES / f"notification-{theme}.svg").write_text(draw(content, theme))


if __name__ == "__main__":
    main()

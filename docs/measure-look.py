#!/usr/bin/env python3
"""Measures `handler look` beside TShark, capinfos and tcptrace, and prints the tables of docs/performance/look.md.

Usage: docs/measure-look.py [HANDLER]      an executable to use instead of a new production build

Needs tshark, capinfos and tcptrace (Debian 12: apt-get install tshark wireshark-common tcptrace), 2 GB of disk below
target, and about five minutes. All programs run on one core, one after the other, with the file in the page cache.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
FILES = TARGET / "measure-look"
RUNS = 5
# What the look counts too: packets by second, conversations, hosts, TCP analysis, layers, DNS.
STATISTICS = ["io,stat,1", "conv,tcp", "conv,ip", "endpoints,ip", "expert", "io,phs", "dns,tree"]
# Generator's arguments by file: a busy server, a flood of SYNs, time stamps 68 years apart, nothing that comes twice.
CAPTURES = {
    "busy.pcap": ["make", "300"],
    "gibibyte.pcap": ["make", "1074"],
    "flood.pcap": ["flood", "2600000"],
    "years.pcap": ["wide", "3000000"],
    "strange.pcap": ["strange", "3000000"],
}


def run(command):
    """CPU seconds, seconds, and peak memory in MB of a program that runs on one core."""
    environment = dict(os.environ, WIRESHARK_CONFIG_DIR=str(FILES / "no-settings"))
    begin = time.monotonic()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        preexec_fn=lambda: os.sched_setaffinity(0, {max(os.sched_getaffinity(0))}),
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    seconds = time.monotonic() - begin
    return used.ru_utime + used.ru_stime, seconds, used.ru_maxrss / 1000


def build(arguments):
    subprocess.run(["cargo", "build", "--release", "--locked", *arguments], cwd=ROOT, check=True)


def main():
    build(["-p", "first-look", "--example", "speed"])
    if len(sys.argv) > 1:
        handler = Path(sys.argv[1]).resolve()
    else:
        build(["--bin", "handler"])
        handler = TARGET / "release" / "handler"
    FILES.mkdir(parents=True, exist_ok=True)
    for name, (kind, amount) in CAPTURES.items():
        speed = TARGET / "release" / "examples" / "speed"
        subprocess.run([speed, kind, FILES / name, amount], check=True)

    busy = FILES / "busy.pcap"
    size = busy.stat().st_size / 1e6
    tshark = ["tshark", "-n", "-q", "-r", busy]
    programs = {
        "handler look": [handler, "look", busy],
        "handler look --json": [handler, "look", "--json", busy],
        "capinfos -c": ["capinfos", "-c", busy],
        "tcptrace -n": ["tcptrace", "-n", busy],
        "tshark -q, 7 statistics": tshark + [word for name in STATISTICS for word in ("-z", name)],
    }
    busy.read_bytes()
    # In turns, so that a slow minute of the machine is not one program's alone.
    measured = {name: [] for name in programs}
    for _ in range(RUNS):
        for name, command in programs.items():
            measured[name].append(run(command))
    print(f"| {size:.0f} MB | CPU, s | range | wall, s | MB/s of CPU | peak MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    cpu = {}
    for name, runs in measured.items():
        all_cpu = [one[0] for one in runs]
        cpu[name] = statistics.median(all_cpu)
        wall = statistics.median(one[1] for one in runs)
        peak = max(one[2] for one in runs)
        span = f"{min(all_cpu):.2f} to {max(all_cpu):.2f}"
        print(f"| `{name}` | {cpu[name]:.2f} | {span} | {wall:.2f} | {size / cpu[name]:,.0f} | {peak:.0f} |")
    times = cpu["tshark -q, 7 statistics"] / cpu["handler look"]
    print(f"\nTShark takes {times:.0f} times the CPU of `handler look`.\n")

    print("| file | MB | CPU, s | peak MB |")
    print("| --- | --- | --- | --- |")
    for name in CAPTURES:
        path = FILES / name
        used = [run([handler, "look", path]) for _ in range(3)]
        seconds = statistics.median(one[0] for one in used)
        peak = max(one[2] for one in used)
        print(f"| `{name}` | {path.stat().st_size / 1e6:.0f} | {seconds:.2f} | {peak:.0f} |")


if __name__ == "__main__":
    main()

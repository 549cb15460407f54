#!/usr/bin/env python3
"""How long a fleet waits for a new host's first word: from the start of the agent on a Debian host without Python to the message
at an independent subscriber; and, as systemd saw it, to the agent's READY.

    HF_BUILD=build python tests/bench/first_report.py [-r 10]
"""
import argparse
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))

from scene import Scene  # noqa: E402


def once(scene):
    after, start = len(scene.reader.messages), time.monotonic()
    scene.start_agent()
    up = time.monotonic() - start
    heard = scene.reader.wait(lambda m: m.topic.endswith("/state"), seconds=60, after=after).at - start
    scene.stop_agent()
    scene.host.run("rm -rf /var/lib/holdfast", check=True)
    return up, heard


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-r", "--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    with Scene() as scene:
        if scene.host.exists("/usr/bin/python3"):
            sys.exit("the host has Python: it is not the one this is about")
        scene.install_units()
        rows = [once(scene) for _ in range(rounds)]
    for title, column in (("ready", [r[0] for r in rows]), ("first report", [r[1] for r in rows])):
        print(f"{title:14} least {min(column):.3f} s, median {statistics.median(column):.3f} s, most {max(column):.3f} s")


if __name__ == "__main__":
    main()

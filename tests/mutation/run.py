"""Switch each check of trust off, one by one, in a copy of the tree, and demand that the test of it fails.

    python tests/mutation/run.py [--short] [--only WORDS] [--keep DIR]

Prints a table; exit status 1 when a mutant survives, when a row does not apply any more, or when an attack has no mutant.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from mutants import MUTANTS

TOP = pathlib.Path(__file__).resolve().parents[2]
SHORT_STEP = 6


def copy_tree(folder):
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=TOP, capture_output=True, text=True, check=True)
    for name in files.stdout.splitlines():
        if (TOP / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, folder / name)


def build(folder):
    return subprocess.run(["make", "-s", f"-j{os.cpu_count()}", "holdfast", "holdfastd"], cwd=folder / "build", capture_output=True, text=True)


def prepare(folder):
    copy_tree(folder)
    subprocess.run(["autoreconf", "-fi"], cwd=folder, capture_output=True, check=True)
    (folder / "build").mkdir()
    cc = "ccache gcc" if shutil.which("ccache") else "gcc"
    subprocess.run(["../configure", "-q", "--disable-hardening", f"CC={cc}", "CFLAGS=-O1"], cwd=folder / "build", check=True)
    made = build(folder)
    assert made.returncode == 0, made.stderr


def tests_of(file, names):
    """What pytest is asked for: names in brackets exactly, functions by their beginning."""
    return [f"tests/system/{file}", "-k", " or ".join(names)]


def failures(folder, file, names):
    """Those of the names that have at least one failing test, and what pytest said."""
    env = {**os.environ, "HF_BUILD": str(folder / "build"), "HF_ATTACK_WAIT": "4"}
    env.pop("HF_LONG", None)
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider", "-rfE", *tests_of(file, names)],
                          cwd=TOP, env=env, capture_output=True, text=True)
    failed = re.findall(r"^(?:FAILED|ERROR) \S+::(\w+)(?:\[([^\]]*)\])?", done.stdout, re.M)
    return [n for n in names if any(n == row or test.startswith(n) or n in test for test, row in failed)], done.stdout


def apply(folder, patches):
    """Writes the mutant; gives back what stood there, or None when a text is not there exactly once."""
    before = {}
    for path, old, new in patches:
        file = folder / path
        text = file.read_text()
        if text.count(old) != 1:
            print(f"    {path}: {text.count(old)} times: {old.strip()[:90]}")
            restore(before)
            return None
        before.setdefault(file, text)
        file.write_text(text.replace(old, new))
    return before


def restore(before):
    for file, text in before.items():
        file.write_text(text)


def one(folder, mutant):
    title, patches, file, names = mutant
    before = apply(folder, patches)
    if before is None:
        return "STALE"
    try:
        made = build(folder)
        if made.returncode != 0:
            print(made.stderr[-1500:])
            return "DOES NOT BUILD"
        killed, said = failures(folder, file, names)
        if len(killed) == len(names):
            return "killed"
        return "SURVIVED: " + ", ".join(n for n in names if n not in killed) + "\n" + said[-300:]
    finally:
        restore(before)


def uncovered():
    """Attacks of the table that no mutant speaks of."""
    sys.path.insert(0, str(TOP / "tests" / "system"))
    import test_attacks
    covered = {n for _, _, _, names in MUTANTS for n in names}
    return [a.__name__ for a, _ in test_attacks.ATTACKS if a.__name__ not in covered]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--short", action="store_true", help=f"every {SHORT_STEP}th mutant")
    parser.add_argument("--only", default="", help="those whose title or tests contain this")
    parser.add_argument("--keep", help="use this folder for the copy, and keep it")
    options = parser.parse_args()
    chosen = [m for m in MUTANTS if options.only in m[0] or any(options.only in n for n in m[3])]
    chosen = chosen[::SHORT_STEP] if options.short else chosen
    folder = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="hf-mutation-"))
    bad = [f"no mutant for {name}" for name in uncovered()]
    try:
        if not (folder / "build" / "holdfast").exists():
            prepare(folder)
        for mutant in chosen:
            start = time.monotonic()
            verdict = one(folder, mutant)
            print(f"{'PASS' if verdict == 'killed' else 'FAIL'}: mutant: {mutant[0]} ({', '.join(mutant[3])}): {verdict}"
                  f"  {time.monotonic() - start:.0f} s", flush=True)
            if verdict != "killed":
                bad.append(mutant[0])
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(chosen)} mutants, {len(bad)} troubles" + "".join(f"\n  {b}" for b in bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

"""What the scripts that fuzz and soak share: where targets are, how a libFuzzer target is run, what it said."""

import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUZZ_BIN = pathlib.Path(os.environ.get("SCOPECHECK_FUZZ_BIN", ROOT / "build" / "fuzz" / "bin"))
PROGRAM = pathlib.Path(os.environ.get("SCOPECHECK_PROGRAM", ROOT / "build" / "release" / "bin" / "scopecheck"))
SEEDS = [ROOT / "corpus" / "seeds", ROOT / "corpus" / "regressions"]


def build_program(*steps):
    """Builds the program and its ASan twin, unless the environment names one, then does further steps of scripts/lib.sh."""
    needed = ["ensure_program"] * ("SCOPECHECK_PROGRAM" not in os.environ) + list(steps)
    script = " && ".join(["source scripts/lib.sh", *needed])
    if needed and subprocess.run(["bash", "-c", script], cwd=ROOT, stdout=sys.stderr, check=False).returncode != 0:
        sys.exit("the build failed")


def build(*targets):
    """Builds the program, its ASan twin and the fuzz targets, unless the environment names them."""
    if "SCOPECHECK_FUZZ_BIN" in os.environ and "SCOPECHECK_PROGRAM" in os.environ:
        return
    build_program("locked build_preset fuzz " + " ".join(targets))


def run_target(target, arguments, seconds=None, discipline="safe"):
    """Runs a libFuzzer target to its end; returns (exit code, output). A target that overstays is killed."""
    environment = dict(os.environ, SCOPECHECK_FUZZ=discipline)
    environment["ASAN_OPTIONS"] = "symbolize=0"
    try:
        done = subprocess.run([FUZZ_BIN / target, *map(str, arguments)], cwd=ROOT, env=environment, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=None if seconds is None else seconds + 60)
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        return -1, (late.stdout or b"").decode(errors="replace") + "\nkilled: it did not end in time"


def last_number(pattern, text):
    """The last number that the pattern's group matched, or 0."""
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def inputs_in(folder):
    return sorted(p for p in pathlib.Path(folder).glob("*") if p.is_file()) if pathlib.Path(folder).is_dir() else []


def minimize(target, corpus, discipline="safe"):
    """Removes the inputs that add nothing to the others. Only ever deletes: an interruption loses nothing."""
    before = inputs_in(corpus)
    if len(before) < 2:
        return len(before), len(before)
    with tempfile.TemporaryDirectory(dir=pathlib.Path(corpus).parent) as chosen:
        code, output = run_target(target, ["-merge=1", chosen, corpus], discipline=discipline)
        wanted = {hashlib.sha1(p.read_bytes()).digest() for p in inputs_in(chosen)}
    if code != 0 or not wanted:
        raise RuntimeError(f"{target}: the merge failed with exit code {code}\n{output[-2000:]}")
    for path in before:
        if hashlib.sha1(path.read_bytes()).digest() not in wanted:
            path.unlink()
    return len(before), len(inputs_in(corpus))


def covered(target, folders, *arguments, discipline="safe"):
    """What the inputs of the folders cover: (exit code, edges, features, ledger states)."""
    code, output = run_target(target, ["-runs=0", *arguments, *folders], discipline=discipline)
    line = [text for text in output.splitlines() if " INITED " in text or " DONE " in text]
    text = line[-1] if line else ""
    return (code, last_number(r" cov: (\d+)", text), last_number(r" ft: (\d+)", text),
            last_number(r"scopecheck: (\d+) ledger states", output))

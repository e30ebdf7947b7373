#!/usr/bin/env bash
# `fuzz` and the commands of docs/fuzzing.md, where their targets are built (presets fuzz and afl); otherwise it says so.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"

run fuzz no_such_design
expect_status 2
expect_complaint

target() { [[ -x $(dirname "$program")/../../$1/bin/scopecheck_fuzz_$2 ]]; }

run fuzz heap_spawn --seconds 1 --output "$work/none"
if ! target fuzz heap_spawn; then
  expect_status 3
  expect_err 'no libFuzzer target of heap_spawn'
fi

if target fuzz stacked_in_scope; then
  run fuzz stacked_in_scope --seconds 60 --seed 1 --output "$work/stacked" --json "$work/json"
  expect_status 0
  expect_out '  see it again: scopecheck replay '
  found=$(find "$work/stacked" -maxdepth 1 -name '*.scn')
  if [[ $(head -n 1 "$found") == '# impl: stacked_in_scope; discipline: safe; expect: unsound' ]]; then passed; else failed "the first line of $found"; fi
  run regress "$work/stacked"
  expect_out '1 regressions: 1 as expected, 0 not'
  run replay "$found"
  expect_status 0
  expect_out 'reproduced'

  # The session is killed; what its engine wrote is taken over by the next one, and only whole files are kept.
  "$program" fuzz heap_spawn --seconds 60 --output "$work/killed" >/dev/null 2>&1 &
  session=$!
  for ((i = 0; i < 300; ++i)); do
    (($(find "$work/killed/running/0/new" -type f 2>/dev/null | wc -l) < 20)) || break
    sleep 0.1
  done
  kill -KILL "$session"
  wait "$session" 2>/dev/null
  for ((i = 0; i < 100; ++i)); do
    pgrep -f "artifact_prefix=$work/killed" >/dev/null || break
    sleep 0.1
  done
  if pgrep -f "artifact_prefix=$work/killed" >/dev/null; then failed 'an engine outlives its session'; else passed; fi
  run fuzz heap_spawn --seconds 1 --seed 1 --output "$work/killed" --json "$work/json"
  expect_status 0
  expect_python 'the corpus of a killed session' '
import json, pathlib, sys
summary = json.load(open(sys.argv[1]))
assert summary["corpus_before"] >= 20, summary
kept = list(pathlib.Path(sys.argv[2]).iterdir())
assert len(kept) == summary["corpus_after"] >= summary["corpus_before"], summary
assert all(p.suffix == ".scn" and p.read_text().startswith("# kept for heap_spawn\n") for p in kept)
' "$work/json" "$work/killed/corpus"
else
  printf 'skipped: no libFuzzer targets; cmake --preset fuzz && cmake --build --preset fuzz builds them\n'
fi

if ! command -v afl-fuzz >/dev/null; then
  printf 'skipped: AFL++ is not installed (Debian: afl++)\n'
elif ! target afl stacked_in_scope; then
  printf 'skipped: no AFL++ targets; cmake --preset afl && cmake --build --preset afl builds them\n'
else
  run fuzz stacked_in_scope --engine afl --seconds 60 --seed 1 --inputs corpus/seeds --output "$work/afl"
  expect_status 0
  expect_out '  see it again: scopecheck replay '
fi

finish

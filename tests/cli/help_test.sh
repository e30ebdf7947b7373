#!/usr/bin/env bash
# What the program says about itself, and how it refuses what it does not know.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"

run --help
expect_status 0
expect_out 'Examples:'
expect_out 'scopecheck check stacked_in_scope -v'
expect_out 'Exit codes: 0 as expected, 1 a verdict differs from the expectation, 2 usage, 3 harness error.'
cp "$work/out" "$work/help"

run
expect_status 0
if cmp -s "$work/out" "$work/help"; then passed; else failed 'no arguments print something else than --help'; fi

for command in list check replay explain shrink selftest; do
  run "$command" --help
  expect_status 0
  expect_out "Usage: scopecheck $command"
  if grep -q "^  $command " "$work/help"; then passed; else failed "--help does not name $command"; fi
done

# The examples of each command work; bug.scn is one.
examples=0
printf '# impl: stacked_in_scope\n%s\n' "$forgotten_handle" >"$work/bug.scn"
for command in list check replay explain shrink selftest; do
  run "$command" --help
  expect_out 'Examples:'
  mapfile -t lines < <(sed -nE 's/^  scopecheck (.*)/\1/p' "$work/out" | sed -E 's/   +.*//')
  for line in "${lines[@]}"; do
    examples=$((examples + 1))
    if [[ $line == *asan* || $line == selftest* ]] && ! has_asan; then continue; fi
    ran=$line
    status=0
    (cd "$work" && eval "\"\$program\" $line") >"$work/out" 2>"$work/err" </dev/null || status=$?
    # a check with small bounds or no ASan build is inconclusive for most
    if [[ $line == check* ]] && ((status == 1)); then status=0; fi
    expect_status 0
  done
done
if ((examples >= 12)); then passed; else failed "only $examples examples"; fi

run --version
expect_status 0
expect_out 'scopecheck '

run chekc
expect_status 2
expect_err "did you mean 'check'?"
expect_complaint

run check --discpline safe
expect_status 2
expect_err "did you mean '--discipline'?"
expect_complaint
run check --discipline saef
expect_status 2
expect_err "did you mean 'safe'?"
expect_complaint
run check --no-such-option
expect_status 2
expect_complaint
expect_err '--no-such-option'

run check --ops 99
expect_status 2
expect_err '--ops'

for command in check 'replay -e settle --impl'; do
  # shellcheck disable=SC2086
  run $command stacked_in_scop
  expect_status 2
  expect_complaint
  expect_err "unknown implementation 'stacked_in_scop'; did you mean 'stacked_in_scope'?"
done

run check zzzzzzzzzzzz
expect_status 2
expect_err "unknown implementation 'zzzzzzzzzzzz'; \`scopecheck list\` shows what there is"

for command in check fuzz; do
  run "$command" heap_spawn --flavour two-worker
  expect_status 2
  expect_err "heap_spawn has no flavour 'two-worker'; did you mean 'two-workers'? it has: current-thread, two-workers"
done
run check --flavour zzz
expect_status 2
expect_err "no implementation has a flavour 'zzz'"

run list
expect_status 0
expect_out 'stacked_in_scope'
refute_out 'canary_'

run list --json
expect_status 0
expect_python 'the JSON of list' '
import json, sys
entries = json.load(open(sys.argv[1]))
names = [e["name"] for e in entries]
assert len(names) >= 9 and len(set(names)) == len(names), names
assert "stacked_in_scope" in names and not any(n.startswith("canary_") for n in names), names
shapes = {"guard", "handle", "closure", "awaitable", "parent-driven", "process-wide"}
for e in entries:
    assert e["shape"] in shapes, e
    assert e["flavours"] and all(isinstance(f, str) for f in e["flavours"]), e
    assert set(e["threaded_flavours"]) <= set(e["flavours"]), e
    assert e["summary"] and e["carrier"] and e["operations"], e
    for op in e["client_ops"]:
        assert op["op"] and op["source"], ("no evidence", e["name"], op)
threaded = {e["name"]: e["threaded_flavours"] for e in entries}
assert threaded["heap_spawn"] == ["two-workers"] and threaded["slot_nursery"] == [], threaded
' "$work/out"

finish

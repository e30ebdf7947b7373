#!/usr/bin/env bash
# The results of `check`: the table, the JSON with every promised field, exit codes, determinism.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"

small=(--ops 4 --random 2000 --quiet)
# A run with threads costs what hundreds without cost.
by_threads='
import json, sys
print(*(i["name"] for i in json.load(sys.stdin) if str("threads of its own" in i["progress"]) == sys.argv[1]), sep="\n")'
mapfile -t threaded < <("$program" list --json | python3 -c "$by_threads" True)
mapfile -t others < <("$program" list --json | python3 -c "$by_threads" False)
few=(--ops 3 --random 200 --quiet)

run check "${threaded[@]}" "${few[@]}" --json "$work/threaded.json"
threaded_status=$status
for name in "${threaded[@]}"; do
  if grep -q "^$name " "$work/out"; then passed; else failed "no row for $name"; fi
done
run check "${others[@]}" "${small[@]}" --json "$work/first.json"
first_status=$status
for name in "${others[@]}"; do
  if grep -q "^$name " "$work/out"; then passed; else failed "no row for $name"; fi
done
fields_and_sums='
import json, sys
document = json.load(open(sys.argv[1]))
has_asan, has_tsan = (word == "yes" for word in sys.argv[2:4])
status, ops = int(sys.argv[4]), int(sys.argv[5])
assert document["schema"] == 1
results = document["results"]
fields = {"implementation": str, "flavour": str, "discipline": str, "verdict": str, "why": str, "effort": dict,
          "reach": dict, "outcomes": dict, "unmet_goals": list, "notes": list, "bounds": str, "build": str,
          "seed": int, "findings": list}
for r in results:
    name = r["implementation"]
    for field, kind in fields.items():
        assert isinstance(r[field], kind), (name, field, r.get(field))
    assert r["verdict"] in ("unsound", "not-refuted", "inconclusive", "error"), name
    assert r["verdict"] != "error", (name, r["why"])
    assert r["expected"] in ("unsound", "not-refuted", None), name
    assert r["as_expected"] == (None if r["expected"] is None else r["expected"] == r["verdict"]), name
    assert (r["why"] == "") == (r["verdict"] in ("unsound", "not-refuted")), (name, r["why"])
    e = r["effort"]
    assert e["exhaustive_ops"] == ops and e["exhaustive_scenarios"] > 0 and e["seconds"] > 0, (name, e)
    o = r["outcomes"]
    assert set(o) == {"clean", "hang", "hang-suspected", "fail-stop", "discard", "crash"}, (name, o)
    runs = e["exhaustive_scenarios"] + e["witness_scenarios"] + e["random_scenarios"] + e["tsan_scenarios"]
    assert sum(o.values()) == runs, (name, o, runs)
    assert r["reach"]["spawn"] > 0 and r["reach"]["spawned"] > 0, name
    assert f"<= {ops} ops" in r["bounds"], name
    assert (r["verdict"] == "unsound") == bool(r["findings"]), name
    assert sum(f["headline"] for f in r["findings"]) == (1 if r["findings"] else 0), name
    for f in r["findings"]:
        assert f["signature"].startswith(f["kind"]), (name, f["signature"])
        assert f["ops"] > 0 and f["found_after_scenarios"] > 0 and f["found_after_seconds"] >= 0, name
        assert f["confirmed_by"] and set(f["confirmed_by"]) <= {"ledger", "asan", "tsan"}, (name, f["confirmed_by"])
        assert f["kind"] != "witness-conflict", (name, f["signature"])
        assert f["reproduce"].startswith("scopecheck replay --impl " + name), name
        if has_asan and f["kind"] == "use-after-scope":
            assert f["confirmed_by"][:2] == ["ledger", "asan"], (name, f["confirmed_by"])
            assert "AddressSanitizer" in f["sanitizer_report"], name
        if f["headline"] and r["flavour"] == "thread-per-child":
            assert ("tsan" in f["confirmed_by"]) == has_tsan, (name, f["confirmed_by"])
    if not has_asan:
        assert r["verdict"] != "not-refuted", name
    if r["verdict"] == "not-refuted":
        assert e["witness_scenarios"] == e["exhaustive_scenarios"] and not r["unmet_goals"], name
assert len({(r["implementation"], r["flavour"]) for r in results}) == len(results)
assert status == (0 if all(r["as_expected"] is not False for r in results) else 1), status
'
witnesses=("$(has_asan && echo yes || echo no)" "$(has_tsan && echo yes || echo no)")
expect_python 'the JSON of check' "$fields_and_sums" "$work/first.json" "${witnesses[@]}" "$first_status" 4
expect_python 'the JSON of check, with threads' "$fields_and_sums" "$work/threaded.json" "${witnesses[@]}" "$threaded_status" 3
expect_python 'the headlines' '
import json, sys
by_name = {}
for path in sys.argv[1:]:
    for r in json.load(open(path))["results"]:
        by_name.setdefault(r["implementation"], r)  # the first flavour
assert len(by_name) >= 9
for name, kind, ops in (("stacked_in_scope", "use-after-scope", 3), ("reentrant_drain", "use-after-scope", 4)):
    head = next(f for f in by_name[name]["findings"] if f["headline"])
    assert (head["kind"], head["ops"]) == (kind, ops), head
for name in ("heap_spawn", "linked_children", "parent_driven", "slot_nursery"):
    assert not by_name[name]["findings"], name
' "$work/first.json" "$work/threaded.json"

# The same again: nothing differs but what clocks say. With another number of runners the examples in the notes may
# differ, and how often something was reached.
same='
import json, sys
ignored = {"seconds", "found_after_seconds", "sanitizer_report"} | set(sys.argv[3:])
def timeless(x):
    if isinstance(x, dict):
        return {k: timeless(v) for k, v in x.items() if k not in ignored}
    return [timeless(v) for v in x] if isinstance(x, list) else x
first, second = (timeless(json.load(open(path)))["results"] for path in sys.argv[1:3])
for a, b in zip(first, second, strict=True):
    for field in a:
        assert a[field] == b[field], (a["implementation"], field, a[field], b[field])
'
run check "${others[@]}" "${small[@]}" --json "$work/second.json"
expect_python 'two checks with the same options differ' "$same" "$work/first.json" "$work/second.json"
run check "${threaded[@]}" "${few[@]}" --json "$work/threaded_again.json"
expect_python 'two checks of threaded implementations differ' "$same" "$work/threaded.json" "$work/threaded_again.json"
run check "${others[@]}" "${small[@]}" --jobs 5 --json "$work/third.json"
expect_python 'checks with different --jobs differ' "$same" "$work/first.json" "$work/third.json" notes reach

# One flavour of several.
run check heap_spawn --flavour two-workers --ops 1 --random 20 --quiet --json "$work/flavour.json"
expect_python 'the flavour that was asked for' '
import json, sys
assert [r["flavour"] for r in json.load(open(sys.argv[1]))["results"]] == ["two-workers"]
' "$work/flavour.json"

# Another seed is another search.
run check linked_children "${small[@]}" --seed 7 --json "$work/seed.json"
expect_python 'the seed is not reported' 'import json, sys; assert json.load(open(sys.argv[1]))["results"][0]["seed"] == 7' \
  "$work/seed.json"

run check stacked_in_scope --flavour current-thread --ops 3 --random 0 --quiet
expect_status 0
expect_out 'unsound'
expect_out 'see it again: scopecheck replay --impl stacked_in_scope'
expect_out '1 result: 1 as expected'
# The command it prints works as it stands.
command=$(sed -n 's/.*see it again: scopecheck //p' "$work/out")
ran=$command
status=0
eval "\"\$program\" $command" >"$work/out" 2>"$work/err" || status=$?
expect_status 0
expect_out 'use-after-scope(forget, frame-end, write)'

# A goal that was never met is not a pass.
run check linked_children --ops 1 --random 0 --quiet
expect_status 1
expect_out 'inconclusive'
expect_out '1 result: 1 differs from the expectation'

# Without the second witness nothing is "not refuted".
ran='check linked_children, without an ASan build'
status=0
SCOPECHECK_ASAN_PROGRAM="$work/none" "$program" check linked_children "${small[@]}" >"$work/out" 2>"$work/err" || status=$?
if ! ldd "$program" | grep -q libasan && ! grep -q __asan_init "$program"; then
  expect_status 1
  expect_out 'inconclusive'
  expect_out 'no ASan witness'
fi

run check stacked_in_scope --flavour current-thread --ops 3 --random 0 --quiet --discipline all --json "$work/all.json"
expect_python 'the disciplines of stacked_in_scope' '
import json, sys
seen = [r["discipline"] for r in json.load(open(sys.argv[1]))["results"]]
assert seen == ["safe", "documented", "no-leak"], seen
' "$work/all.json"

if has_asan && has_tsan; then
  run selftest
  expect_status 0
  expect_out 'Every planted defect was caught'
  refute_out 'BLIND'
fi

finish

#!/usr/bin/env bash
# The kept counterexamples still say what they said; and `regress` notices when they do not.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"

run regress
expect_status 0
expect_out ' 0 not'

# A file that expects something else, is no client of its API, or is no scenario.
mkdir "$work/kept"
good=corpus/regressions/stacked_in_scope-forget.scn
sed 's/expect: unsound/expect: not-refuted/; 2d' $good >"$work/kept/a.scn"
sed 's/use-after-scope(forget, frame-end/use-after-scope(drop, frame-end/' $good >"$work/kept/b.scn"
sed 's/^forget h0$/drop h0/; 2d' $good >"$work/kept/c.scn"
sed 's/discipline: safe/discipline: documented/' $good >"$work/kept/d.scn"
run regress "$work/kept"
expect_status 1
expect_out 'a.scn: new finding: use-after-scope(forget, frame-end, write)'
expect_out 'b.scn: another finding: use-after-scope(forget, frame-end, write)'
expect_out 'c.scn: not reproduced: no finding'
expect_out 'd.scn: no longer applicable: '
expect_out '4 regressions: 0 as expected, 4 not'

printf 'spawm\n' >"$work/kept/e.scn"
sed 's/; expect: unsound//' $good >"$work/kept/f.scn"
sed 's/; discipline/; flavour: none; discipline/' $good >"$work/kept/g.scn"
run regress "$work/kept"
expect_status 3
expect_out "g.scn: error: stacked_in_scope has no flavour 'none'"
expect_out 'e.scn: error: line 1: '
expect_out 'f.scn: error: the first line must say'

# The flavour that a file names is the one that is run: with another progress, other clients are possible.
mkdir "$work/flavoured"
for flavour in current-thread two-workers; do
  printf '# impl: heap_spawn; flavour: %s; discipline: safe; expect: not-refuted\nspawn t0 { } as h0\nrun 1\n' \
    $flavour >"$work/flavoured/$flavour.scn"
done
run regress "$work/flavoured"
expect_out 'two-workers.scn: no longer applicable: '
expect_out '2 regressions: 1 as expected, 1 not'

run regress "$work/none"
expect_status 2
expect_complaint

# impls/expected.toml says what the implementations say of themselves.
run list --json
expect_python 'impls/expected.toml' '
import json, sys, tomllib
kept = {n: {f: e["verdict"] for f, e in flavours.items()}
        for n, flavours in tomllib.load(open("impls/expected.toml", "rb")).items()}
said = {e["name"]: e["expected"] for e in json.load(open(sys.argv[1]))}
for name in said.keys() | kept.keys():
    assert kept.get(name) == said.get(name), (name, kept.get(name), said.get(name))
' "$work/out"

# Every seed says its idea, and is a client of some implementation.
names=$("$program" list --json | python3 -c 'import json, sys; print(*(r["name"] for r in json.load(sys.stdin)))')
is_a_client() {
  local name
  for name in $names; do
    ! "$program" explain "$1" --impl "$name" >/dev/null 2>&1 || return 0
  done
  return 1
}
for seed in corpus/seeds/*.scn; do
  head -n 1 "$seed" | grep -q '^# idea: ' && passed || failed "$seed: the first line says no idea"
  is_a_client "$seed" && passed || failed "$seed: no implementation has such a client"
done

finish

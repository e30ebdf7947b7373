#!/usr/bin/env bash
# `check --engine rapidcheck`.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"

run check stacked_in_scope --flavour current-thread --engine rapidcheck --random 5000 --seed 1 -v
expect_status 0
expect_out '(forget, '
expect_out '%  op forget'
expect_out '%  vector cycle'
expect_out '%  depth 2'
cp "$work/out" "$work/first"
run check stacked_in_scope --flavour current-thread --engine rapidcheck --random 5000 --seed 1 -v
if cmp -s "$work/out" "$work/first"; then passed; else failed 'the same seed, another output'; fi
command=$(sed -n 's/.*see it again: scopecheck //p' "$work/out")
ran=$command
status=0
signature=$(grep -oE '[a-z-]+\(forget, [^)]*\)' "$work/first" | head -n 1)
eval "\"\$program\" $command" >"$work/out" 2>"$work/err" || status=$?
expect_status 0
expect_out "${signature:?}"

run check linked_children --engine rapidcheck --random 500
expect_status 0
expect_out 'no finding'
run check linked_children --engine rapidcheck --random 500 --json "$work/none"
expect_status 2
expect_complaint

finish

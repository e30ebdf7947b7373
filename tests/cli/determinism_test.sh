#!/usr/bin/env bash
# Counterexamples of implementations with threads of their own give the same ledger every time they are replayed: a
# short turn of scripts/replay-determinism, and that it notices when they do not.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"

determinism() {
  ran="scripts/replay-determinism $*"
  status=0
  scripts/replay-determinism --program "$program" --load 0 "$@" >"$work/out" 2>"$work/err" || status=$?
}

determinism --times 50
expect_status 0
for name in blocking_guard-forget.scn\ one-worker blocking_guard-forget.scn\ two-workers join_guard-forget.scn std_async-forget.scn \
  std_jthread-detach.scn std_thread-detach.scn; do
  expect_out "$name"
done
expect_out '50 of 50 identical'
refute_out 'NOT'

# Another finding than the file names is none of it.
sed 's/forget, frame-end, write/drop, frame-end, write/' corpus/regressions/join_guard-forget.scn >"$work/other.scn"
determinism --times 2 "$work/other.scn"
expect_status 1
expect_out 'NOT the finding of the file'

finish

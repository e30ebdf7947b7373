# What the tests of the program share, sourced with the program's path as $1. A check that fails prints what was
# run, what was expected and what came; the script goes on and exits with 1 at its end (`finish`).
# shellcheck shell=bash

set -uo pipefail
if (($# != 1)) || [[ ! -x $1 ]]; then
  printf 'usage: %s PROGRAM\n' "$0" >&2
  exit 2
fi
program=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset NO_COLOR COLUMNS
export LC_ALL=C.UTF-8 TERM=xterm

checks=0
failures=0
status=0

# Three ops that every test of the program can rely on: the handle of a stacked child is forgotten.
forgotten_handle='cell x; spawn t0 borrow mut x { write x } as h0 boxed; forget h0'
export forgotten_handle

# run ARGUMENT...: runs the program; its exit code is in $status, its output in $work/out and $work/err.
run() {
  ran=$*
  status=0
  "$program" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}

passed() { checks=$((checks + 1)); }
failed() {
  checks=$((checks + 1))
  failures=$((failures + 1))
  printf 'FAILED: scopecheck %s\n  %s\n' "${ran-}" "$*"
  [[ ! -s $work/err ]] || sed 's/^/  stderr | /' "$work/err" | head -n 20
}

expect_status() {
  if ((status == $1)); then passed; else failed "exit code $status, expected $1"; fi
}
# expect_out|expect_err TEXT: the output contains it.
expect_out() {
  if grep -qF -- "$1" "$work/out"; then
    passed
  else
    failed "the output lacks: $1"
    sed 's/^/  stdout | /' "$work/out" | head -n 20
  fi
}
expect_err() { if grep -qF -- "$1" "$work/err"; then passed; else failed "stderr lacks: $1"; fi; }
refute_out() { if grep -qF -- "$1" "$work/out"; then failed "the output has: $1"; else passed; fi; }
# An error is one line, and says whose it is.
expect_complaint() {
  if [[ $(wc -l <"$work/err") == 1 && $(<"$work/err") == scopecheck:* && ! -s $work/out ]]; then
    passed
  else
    failed 'a refusal is one line on stderr that begins with "scopecheck:", and nothing else'
  fi
}
# expect_python WHAT CODE [ARGUMENT...]: the python code, which asserts, passes.
expect_python() {
  local what=$1 code=$2
  shift 2
  if python3 -c "$code" "$@" >"$work/python" 2>&1; then
    passed
  else
    failed "$what"
    sed 's/^/  | /' "$work/python" | tail -n 5
  fi
}

# Whether this build has such a twin; without that of ASan `check` never says more than inconclusive, and without
# that of TSan neither of implementations with threads.
has_witness() {
  run replay --witness "$1" --impl canary_sound -e 'cell x'
  ((status != 3))
}
has_asan() { has_witness asan; }
has_tsan() { has_witness tsan; }

finish() {
  printf '%d checks, %d failed\n' "$checks" "$failures"
  ((failures == 0))
}

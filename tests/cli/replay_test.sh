#!/usr/bin/env bash
# One scenario: replay, explain, shrink.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"

run replay --impl stacked_in_scope -e "$forgotten_handle" --times 100
expect_status 0
expect_out '100 of 100 ledgers identical'

# A finding that the implementation is expected to have is no surprise.
run replay --impl canary_detach -e 'cell x; spawn t0 borrow mut x { write x } as h0'
expect_status 0
expect_out 'use-after-scope(frame-end, frame-end, write)'
refute_out 'clean'
run replay --impl stacked_in_scope --discipline documented -e 'cell x; spawn t0 borrow mut x { write x } as h0; drop h0'
expect_status 0
expect_out 'no finding'

# A file that names its finding gets exactly that one, or exit code 1.
scenario() { printf '# impl: %s\n# finding: %s\n%s\n' "$1" "$2" "$forgotten_handle" >"$work/named.scn"; }
scenario stacked_in_scope 'use-after-scope(forget, frame-end, write)'
run replay "$work/named.scn"
expect_status 0
expect_out 'reproduced'
scenario stacked_in_scope 'aliased-borrow(forget, -, write)'
run replay "$work/named.scn"
expect_status 1
expect_out 'not reproduced: another finding than the file names'
printf '# impl: stacked_in_scope\n# finding: use-after-scope(forget, frame-end, write)\ncell x\n' >"$work/named.scn"
run replay "$work/named.scn"
expect_status 1
expect_out 'not reproduced: no finding'

if has_asan; then
  run replay --impl stacked_in_scope --witness asan -e "$forgotten_handle"
  expect_status 0
  expect_out 'AddressSanitizer: stack-use-after-return'
  run replay --impl stacked_in_scope --witness asan --times 20 -e "$forgotten_handle"
  expect_status 0
  expect_out '20 of 20 ledgers identical'
fi

# A program that is not built with ASan is no witness, whatever it is called.
if ! grep -q __asan_init "$program"; then
  for stand_in in "$program" /bin/true; do
    ran="replay --witness asan, with $stand_in as the ASan build"
    status=0
    SCOPECHECK_ASAN_PROGRAM=$stand_in "$program" replay --impl stacked_in_scope --witness asan -e "$forgotten_handle" \
      >"$work/out" 2>"$work/err" || status=$?
    expect_status 3
    expect_err 'scopecheck: '
    refute_out 'under ASan'
  done
  SCOPECHECK_ASAN_PROGRAM=$program "$program" replay --impl stacked_in_scope --witness asan -e "$forgotten_handle" \
    >"$work/out" 2>"$work/err"
  expect_err 'is not an ASan build: nothing in it watches memory'
fi

# The touch of a cell that the client has back, on another thread: the ledger sees it, and TSan sees the race.
regained='cell x; frame { spawn t0 borrow mut x { write x } as h0; detach h0 }; step t0'
if has_tsan; then
  run replay --impl std_thread --witness tsan -e "$regained"
  expect_status 0
  expect_out 'std_thread under TSan, with the real access: finding'
  expect_out 'aliased-borrow(detach, -, write)'
  refute_out 'data-race'
  refute_out 'TSan: no report'
  expect_out 'WARNING: ThreadSanitizer: data race'
  expect_out 'machine.cpp'
  run replay --impl std_thread --witness tsan --times 5 -e "$regained"
  expect_status 0
  expect_out '5 of 5 ledgers identical'
  # A join that does not synchronise: nobody is late, and only TSan can tell.
  in_time='cell x; frame { spawn t0 borrow mut x { write x } as h0 }'
  run replay --impl canary_unordered_join --witness tsan -e "$in_time"
  expect_status 0
  expect_out 'data-race(frame-end, -, write)'
  run explain --impl canary_unordered_join -e "$in_time"
  expect_out 'seen by TSan alone: ThreadSanitizer: data race'
  run shrink --impl canary_unordered_join -e "$in_time; write x"
  expect_out '# finding: data-race(frame-end, -, write)'
  run replay --impl scoped_threads --witness tsan \
    -e 'cell x; enter s0 { spawn t0 in s0 borrow mut x { write x } as h0 }; write x'
  expect_status 0
  expect_out 'no finding'
  expect_out 'TSan: no report'
fi
if ! grep -q __tsan_init "$program"; then
  ran='replay --witness tsan, with a program that is no TSan build'
  status=0
  SCOPECHECK_TSAN_PROGRAM=$program "$program" replay --impl std_thread --witness tsan -e "$regained" \
    >"$work/out" 2>"$work/err" || status=$?
  expect_status 3
  expect_err 'is not a TSan build: nothing in it watches threads'
fi

# What ASan alone sees is shown, too; without an ASan build `explain` says that nobody looked.
late_waker='spawn t0 { keep waker; park } as h0; settle; drop h0; wake t0'
if has_asan; then
  run explain --impl canary_stale_waker -e "$late_waker"
  expect_status 0
  expect_out 'wake-after-free'
  expect_out 'seen by ASan alone'
fi
if ! grep -q __asan_init "$program"; then
  ran='explain, without an ASan build'
  status=0
  SCOPECHECK_ASAN_PROGRAM="$work/none" "$program" explain --impl canary_stale_waker -e "$late_waker" \
    >"$work/out" 2>"$work/err" || status=$?
  expect_out "the runtime's own memory is watched by ASan only"
fi

# The end of a closure's block: its handle goes, the call waits for the child, and only then the loan is over.
run explain --impl scoped_threads -e 'cell x; enter s0 {; spawn t0 in s0 borrow mut x { write x } as h0; }; write x'
expect_status 0
expect_out 'clean: no finding'
closing=$(sed -n '/^ 6  }/,/^ 7  write x/p' "$work/out")
expected=' 6  }                                ┃ ║   ┊
      ↳ h0 dropped                   ┃ ║   ■ write x, done
      ↳ s0 is over                   ┃ ╨
 7  write x                          ┃'
if [[ $closing == "$expected" ]]; then passed; else failed "how an enter ends: $closing"; fi

run explain --impl stacked_in_scope -e "$forgotten_handle"
expect_status 0
expect_out '← use-after-scope'
expect_out '✗'
# shellcheck disable=SC2016
expect_out '`forget h0` (line'
for variable in LC_ALL LANG; do
  ran="explain, with $variable=C"
  status=0
  env -u LC_ALL -u LC_CTYPE -u LANG "$variable=C" "$program" explain --impl stacked_in_scope -e "$forgotten_handle" \
    >"$work/out" 2>"$work/err" || status=$?
  expect_status 0
  expect_out 'use-after-scope'
  if LC_ALL=C grep -q "$(printf '[\x80-\xff]')" "$work/out"; then failed 'a byte >= 0x80'; else passed; fi
done

# on_terminal ASSIGNMENT...: the program's output when it writes to a terminal.
on_terminal() {
  python3 - "$program" "$forgotten_handle" "$@" >"$work/out" <<'PY'
import os, pty, sys
program, scenario = sys.argv[1:3]
os.environ.update(a.split("=", 1) for a in sys.argv[3:])
pid, terminal = pty.fork()
if pid == 0:
    os.execv(program, [program, "explain", "--impl", "stacked_in_scope", "-e", scenario])
out = b""
while True:
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        break
    if not chunk:
        break
    out += chunk
os.waitpid(pid, 0)
sys.stdout.buffer.write(out)
PY
}
ran='explain, on a terminal'
: >"$work/err"
on_terminal
expect_out 'use-after-scope'
expect_out $'\x1b['
on_terminal NO_COLOR=1
expect_out 'use-after-scope'
refute_out $'\x1b['
on_terminal TERM=dumb
refute_out $'\x1b['

# A padded scenario shrinks to the three ops that matter.
cat >"$work/padded.scn" <<'SCN'
# impl: stacked_in_scope
cell x
cell y
write y
frame {
  write y
}
spawn t0 borrow mut x {
  yield
  write x
} as h0 boxed
read y
forget h0
write y
SCN
run shrink "$work/padded.scn"
expect_status 0
expect_err '9 ops -> 3 ops'
cat >"$work/minimum.scn" <<'SCN'
# impl: stacked_in_scope
# finding: use-after-scope(forget, frame-end, write)
cell x
spawn t0 borrow mut x {
  write x
} as h0 boxed
forget h0
SCN
if diff "$work/minimum.scn" "$work/out" >"$work/diff"; then passed; else failed "$(<"$work/diff")"; fi
# What it prints replays.
cp "$work/out" "$work/small.scn"
run replay "$work/small.scn"
expect_status 0
expect_out 'reproduced'
run shrink "$work/small.scn"
if cmp -s "$work/out" "$work/small.scn"; then passed; else failed 'a minimum shrinks further'; fi

run shrink --impl linked_children -e 'cell x'
expect_status 1
expect_err 'nothing to shrink'

# A child that runs its async block keeps the others out of the harness, or it would be accused of what they do.
run replay --impl heap_spawn --flavour two-workers --stress --times 400 \
  -e 'spawn t0 { async b0 { cell x; cell y; read x; read y }; poll b0 } as h0; spawn t1 { } as h1'
expect_status 0
expect_out 'no finding'

finish

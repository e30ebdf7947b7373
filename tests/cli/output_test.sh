#!/usr/bin/env bash
# Where the output goes: full disks, closed pipes, and Ctrl-C.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"

quick=(check reentrant_drain --ops 3 --random 0 --quiet)

# into_full_disk ARGUMENT...: standard output takes nothing.
into_full_disk() {
  ran="$* >/dev/full"
  status=0
  "$program" "$@" >/dev/full 2>"$work/err" </dev/null || status=$?
  : >"$work/out"
  expect_status 3
  expect_complaint
  expect_err 'cannot write'
}
into_full_disk
into_full_disk --help
into_full_disk list
into_full_disk list --json
into_full_disk "${quick[@]}"
into_full_disk replay --impl stacked_in_scope -e "$forgotten_handle"
into_full_disk explain --impl stacked_in_scope -e "$forgotten_handle"

run "${quick[@]}" --json /dev/full
expect_status 3
expect_err 'scopecheck: cannot write /dev/full: No space left on device'
expect_out 'reentrant_drain'
run "${quick[@]}" --json "$work/no/such/folder.json"
expect_status 3
expect_err "scopecheck: cannot write $work/no/such/folder.json"

# A reader that leaves early neither stops nor hangs us; the time limit is for a hang only.
for command in 'list' 'list --json' '--help' "${quick[*]}"; do
  ran="$command | head -n 1"
  # shellcheck disable=SC2086
  line=$(timeout 120 "$program" $command 2>/dev/null </dev/null | head -n 1; exit "${PIPESTATUS[0]}")
  status=$?
  # 141: ended by SIGPIPE, as is usual
  if [[ -n $line && $status != 124 ]]; then passed; else failed "line '$line', exit code $status"; fi
done

# Ctrl-C: a check that would take hours says what it knows and leaves nobody behind. Sent once its progress, shown on
# a terminal, says that the runners are at work.
ran='check heap_spawn --ops 12 -j 2, then Ctrl-C'
if python3 - "$program" >"$work/out" 2>"$work/err" <<'PY'; then passed; else failed 'Ctrl-C'; fi
import os, pty, signal, subprocess, sys

def children_of(parent):
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat") as f:
                after_name = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        if after_name and after_name[0] != "Z" and int(after_name[1]) == parent:
            found.append(int(entry))
    return found

# A shell starts background jobs with SIGINT ignored, which the program respects.
default = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
terminal, stderr = pty.openpty()
check = subprocess.Popen([sys.argv[1], "check", "heap_spawn", "--ops", "12", "-j", "2"], stdout=subprocess.PIPE,
                         stderr=stderr, stdin=subprocess.DEVNULL, preexec_fn=default)
os.close(stderr)
try:
    shown, runners = b"", []
    while b"ops" not in shown or not runners:  # between two lengths there is none
        shown += os.read(terminal, 4096)
        runners = children_of(check.pid)
    check.send_signal(signal.SIGINT)
    out = check.communicate(timeout=300)[0].decode()
finally:
    check.kill()
left = [pid for pid in runners if os.path.exists(f"/proc/{pid}")]
assert not left, f"runners {left} are still there"
assert "inconclusive" in out and "interrupted" in out, out
assert "Interrupted: 1 of 1 checks were begun; the last one is incomplete." in out, out
assert check.returncode == 1, f"exit code {check.returncode}"
PY

finish

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
# what can be known before the work is said before it
run "${quick[@]}" --json "$work/no/such/folder.json"
expect_status 2
expect_complaint
expect_err "scopecheck: cannot write $work/no/such/folder.json"
run "${quick[@]}" --json ''
expect_status 2
expect_complaint

# A reader that leaves early neither stops nor hangs us; the time limit is for a hang only.
for command in 'list' 'list --json' '--help' "${quick[*]}"; do
  ran="$command | head -n 1"
  # shellcheck disable=SC2086
  line=$(timeout 120 "$program" $command 2>/dev/null </dev/null | head -n 1; exit "${PIPESTATUS[0]}")
  status=$?
  # 141: ended by SIGPIPE, as is usual
  if [[ -n $line && $status != 124 ]]; then passed; else failed "line '$line', exit code $status"; fi
done

[[ -z $(find "$work" -name 'folder.json*') ]] && passed || failed 'a half-written file is left'
ran="${quick[*]} --json full.json >/dev/full"
status=0
"$program" "${quick[@]}" --json "$work/full.json" >/dev/full 2>"$work/err" </dev/null || status=$?
expect_status 3
if [[ -s $work/full.json ]]; then passed; else failed 'a full standard output cost the JSON'; fi
mkdir "$work/json"
ln -s /dev/full "$work/json/full"
run "${quick[@]}" --json "$work/json/full"
expect_status 3
expect_err 'No space left on device'

# Closed descriptors: nothing that we open gets their numbers, and no complaint ends in an abort.
for closed in '<&-' '2>&-' '<&- 2>&-'; do
  ran="${quick[*]} $closed"
  status=0
  eval "\"\$program\" ${quick[*]} $closed" >"$work/out" || status=$?
  expect_status 1  # its shortest counterexample has four ops
  expect_out 'reentrant_drain'
done
ran='list >&-'
status=0
"$program" list >&- 2>"$work/err" || status=$?
expect_status 3
expect_err 'cannot write'
for nowhere in '2>&-' '2>/dev/full' '<&- >&- 2>&-'; do
  ran="check nosuch $nowhere"
  status=0
  eval "\"\$program\" check nosuch $nowhere" || status=$?
  expect_status 2
done

# Runners that are killed or stopped at any moment, by whomever, lose nothing.
ran='check canary_detach, with its runners being killed'
if python3 - "$program" "$work" >"$work/out" 2>"$work/err" <<'PY'; then passed; else failed 'kills'; fi
import json, os, random, signal, subprocess, sys, time

program, work = sys.argv[1:]
command = [program, "check", "canary_detach", "--ops", "6", "--random", "0", "--quiet", "-j", "2", "--json"]

def findings(path):
    result = json.load(open(path))["results"][0]
    return (result["verdict"], result["effort"]["exhaustive_scenarios"], result["effort"]["witness_scenarios"],
            [(f["signature"], f["scenario"]) for f in result["findings"]])

subprocess.run(command + [work + "/calm.json"], stdout=subprocess.DEVNULL)
draw = random.Random(1)
check = subprocess.Popen(command + [work + "/kills.json"], stdout=subprocess.DEVNULL)
hurt = 0
while check.poll() is None:
    children = open(f"/proc/{check.pid}/task/{check.pid}/children").read().split()
    if children and hurt < 6:
        try:
            os.kill(int(draw.choice(children)), draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP]))
            hurt += 1
        except ProcessLookupError:
            pass
    time.sleep(draw.random() / 4 if hurt else 0)  # the moments are to be any, but one of them must be met
assert hurt > 0, "no runner was seen"
calm, kills = findings(work + "/calm.json"), findings(work + "/kills.json")
assert calm == kills, (calm, kills)
PY

# Runners end with a supervisor that is killed.
ran='check heap_spawn, killed'
if python3 - "$program" >"$work/out" 2>"$work/err" <<'PY'; then passed; else failed 'SIGKILL'; fi
import os, select, subprocess, sys

check = subprocess.Popen([sys.argv[1], "check", "heap_spawn", "--flavour", "current-thread", "--ops", "12", "--quiet", "-j", "2"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
runners = []
while len(runners) < 2:
    runners = [int(pid) for pid in open(f"/proc/{check.pid}/task/{check.pid}/children").read().split()]
watched = []
for pid in runners:
    try:
        watched.append(os.pidfd_open(pid))
    except ProcessLookupError:
        pass  # one of the gate's, over by now
check.kill()
check.wait()
for fd in watched:
    assert select.select([fd], [], [], 60)[0], "a runner lives on"
PY

# timeout(1) sends its signal to the program and then to its group: the report is printed, the JSON written.
ran='timeout check heap_spawn'
timeout 4 "$program" check heap_spawn --flavour current-thread --ops 12 --quiet --json "$work/timeout.json" >"$work/out" 2>"$work/err" </dev/null
status=$?
expect_status 124
expect_out 'Interrupted: 1 of 1 checks were begun'
expect_python 'the JSON of a check that timeout ended' '
import json, sys
(result,) = json.load(open(sys.argv[1]))["results"]
assert result["verdict"] == "inconclusive" and result["why"] == "interrupted", result
assert json.load(open(sys.argv[1]))["interrupted"] is True
' "$work/timeout.json"

# Verdicts that were asked for and are not there are not as expected, whatever the others say.
ran='timeout check stacked_in_scope heap_spawn'
timeout --foreground --preserve-status 6 "$program" check stacked_in_scope heap_spawn --flavour current-thread --ops 12 --random 0 --seconds 7200 \
  --quiet --json "$work/cut.json" >"$work/out" 2>"$work/err" </dev/null
status=$?
expect_status 1
expect_out 'Interrupted: 1 of 2 checks were begun'

# There is nothing to be read from a closed standard input, and nobody takes that for an empty program.
ran='replay --impl heap_spawn - <&-'
status=0
"$program" replay --impl heap_spawn - <&- >"$work/out" 2>"$work/err" || status=$?
expect_status 2
expect_complaint

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
check = subprocess.Popen([sys.argv[1], "check", "heap_spawn", "--flavour", "current-thread", "--ops", "12", "-j", "2"], stdout=subprocess.PIPE,
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

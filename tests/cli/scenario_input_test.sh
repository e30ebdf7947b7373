#!/usr/bin/env bash
# Scenarios from files, standard input and -e; every refusal names what is wrong, and where.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"

# refused EXIT_CODE MESSAGE ARGUMENT...
refused() {
  local code=$1 message=$2
  shift 2
  run "$@"
  expect_status "$code"
  expect_complaint
  expect_err "$message"
}

for command in replay explain shrink; do
  refused 2 'No such file or directory' "$command" --impl stacked_in_scope "$work/missing.scn"
  refused 2 'is a directory' "$command" --impl stacked_in_scope "$work"
  refused 2 'no scenario' "$command" --impl stacked_in_scope
done
if ((EUID != 0)); then
  : >"$work/locked.scn"
  chmod 000 "$work/locked.scn"
  refused 2 'Permission denied' replay --impl stacked_in_scope "$work/locked.scn"
fi
head -c 1048577 /dev/zero >"$work/large.scn"
refused 2 'larger than a scenario can be' replay --impl stacked_in_scope "$work/large.scn"

printf 'cell x\n\nfrobnicate x\n' >"$work/malformed.scn"
refused 2 "$work/malformed.scn:3: unknown op 'frobnicate'" replay --impl stacked_in_scope "$work/malformed.scn"
printf 'cell x\nspawn t0 {\n' >"$work/open.scn"
refused 2 "$work/open.scn:2: " replay --impl stacked_in_scope "$work/open.scn"
printf 'cell x\n\xff\xfe\x00\x1b[31m\n' >"$work/binary.scn"
refused 2 "$work/binary.scn:2: " replay --impl stacked_in_scope "$work/binary.scn"
if LC_ALL=C grep -q "$(printf '[\x1b\xff]')" "$work/err"; then failed 'the file speaks to the terminal'; else passed; fi

cat >"$work/ill_formed.scn" <<'SCN'
# impl: stacked_in_scope
cell x
spawn t0 borrow mut x {
  write x
} as h0
write x
SCN
refused 2 "$work/ill_formed.scn:6: not a client of stacked_in_scope under safe: cannot write x: mutably borrowed by t0" \
  replay "$work/ill_formed.scn"
# Messages speak in the author's names.
cat >"$work/names.scn" <<'SCN'
# impl: stacked_in_scope

cell counter

spawn worker borrow mut counter {
  write counter
} as guard
write counter
SCN
refused 2 "$work/names.scn:8: not a client of stacked_in_scope under safe: cannot write counter: mutably borrowed by worker through guard" \
  replay "$work/names.scn"
sed -i 's/guard$/guard boxed/; s/^write counter$/forget guard/' "$work/names.scn"
run replay "$work/names.scn"
expect_out 'at line 6: write counter'
run explain "$work/names.scn"
expect_status 0
expect_out 'counter→worker'
expect_out ' 8  forget guard'
# shellcheck disable=SC2016
expect_out 'worker borrowed counter mutably at line 5, for as long as guard lives.'
# shellcheck disable=SC2016
expect_out '`forget guard` (line 8) ended that loan'
expect_out 'counter (line 6), during the final settle'
refused 2 "bug.scn: No such file" replay bug.scn
printf 'cell x\nspwan t0 { }\n' >"$work/near.scn"
refused 2 "$work/near.scn:2: unknown op 'spwan'; did you mean 'spawn'?" replay --impl stacked_in_scope "$work/near.scn"
printf 'cell counter\nread conter\n' >"$work/near.scn"
refused 2 "$work/near.scn:2: unknown cell 'conter'; did you mean 'counter'?" replay --impl stacked_in_scope "$work/near.scn"

refused 2 'not a client of forced_await under safe' replay --impl forced_await -e "$forgotten_handle"
refused 2 'not a client of stacked_in_scope under no-leak' replay --impl stacked_in_scope --discipline no-leak -e "$forgotten_handle"

refused 2 "stacked_in_scope has no flavour 'nosuch'; it has: current-thread" \
  replay --impl stacked_in_scope --flavour nosuch -e 'cell x'
refused 2 "stacked_in_scope has no flavour 'curent-thread'; did you mean 'current-thread'? it has: current-thread" \
  replay --impl stacked_in_scope --flavour curent-thread -e 'cell x'
refused 2 'which implementation?' replay -e 'cell x'
run replay --impl stacked_in_scope --discipline nosuch -e 'cell x'
expect_status 2
printf '# impl: stacked_in_scope\n# discipline: nosuch\ncell x\n' >"$work/discipline.scn"
refused 2 "'nosuch' is not a discipline; there are: safe, documented, no-leak" replay "$work/discipline.scn"
run replay --impl stacked_in_scope -e 'cell x' "$work/open.scn"
expect_status 2

# The same scenario in all its forms.
run replay --impl stacked_in_scope -e "$forgotten_handle"
expect_status 0
expect_out 'use-after-scope(forget, frame-end, write)'
run replay --impl=stacked_in_scope "-e$forgotten_handle"
expect_out 'use-after-scope(forget, frame-end, write)'
run replay --impl stacked_in_scope -e "${forgotten_handle//; /
}"
expect_out 'use-after-scope(forget, frame-end, write)'
run replay --impl stacked_in_scope -e "${forgotten_handle/forget/leak}"
expect_out 'use-after-scope(forget, frame-end, write)'
printf '# impl: stacked_in_scope\n%s\n' "$forgotten_handle" >"$work/oneline.scn"
run replay "$work/oneline.scn"
expect_out 'use-after-scope(forget, frame-end, write)'
ran='replay - <oneline.scn'
status=0
"$program" replay - <"$work/oneline.scn" >"$work/out" 2>"$work/err" || status=$?
expect_status 0
expect_out 'use-after-scope(forget, frame-end, write)'

finish

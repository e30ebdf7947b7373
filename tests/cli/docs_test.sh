#!/usr/bin/env bash
# What README and docs show is what the program does: their commands run, their transcripts are current, their links
# lead somewhere.
# shellcheck disable=SC2016
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"

pages=(README.md CONTRIBUTING.md docs/*.md)

# Commands stand in code blocks, as ./scripts/scopecheck; an ASan witness may be missing, a check takes too long here.
while IFS= read -r command; do
  if [[ $command == *'--witness asan'* ]] && ! has_asan; then continue; fi
  ran=$command
  status=0
  eval "\"\$program\" $command" >"$work/out" 2>"$work/err" </dev/null || status=$?
  expect_status 0
  case $command in
    *'in s0 { park }; drop s0; wake t0'* | *'enter s0 { spawn t0 in s0 { park } }; wake t0'* | *'inside { spawn t0 in s0 { } as h0; await h0 }'*) expect_out 'hang (proved)' ;;
    replay*) refute_out 'no finding' ;;
  esac
done < <(sed -nE 's,^(\$ )?\./scripts/scopecheck ((replay|explain|list).*),\2,p' "${pages[@]}" | sed 's/ *#.*//')
if ((checks > 8)); then passed; else failed "only $checks checks of commands in the pages"; fi

# The transcripts of `explain` in README, to the letter.
command=$(sed -n 's|^\$ \./scripts/scopecheck \(explain.*\)|\1|p' README.md)
ran=$command
status=0
eval "\"\$program\" $command" >"$work/out" 2>"$work/err" || status=$?
sed -n '/^\$ \.\/scripts\/scopecheck explain/,/^```$/p' README.md | sed '1d;$d' >"$work/shown"
if diff "$work/shown" "$work/out" >"$work/diff"; then passed; else failed "README shows something else: $(<"$work/diff")"; fi

ran='the pages'
: >"$work/err"
expect_python 'links' '
import pathlib, re, sys
def anchors(page):
    heads = re.findall(r"^#+ (.*)", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in heads}
for name in sys.argv[1:]:
    page = pathlib.Path(name)
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.S)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), (name, target)
        assert not anchor or anchor in anchors(file), (name, target)
' "${pages[@]}"

# The page of the ops is what the program prints.
run list --ops
if diff docs/ops.md "$work/out" >"$work/diff"; then passed; else failed "docs/ops.md: run scopecheck list --ops: $(<"$work/diff")"; fi

# Every implementation is in the matrix; every finding kind is explained.
run list --json
expect_python 'the matrix in README' '
import json, pathlib, sys
matrix = pathlib.Path("README.md").read_text().split("<!-- matrix -->")[1].split("<!-- /matrix -->")[0]
for e in json.load(open(sys.argv[1])):
    assert "| `%s` |" % e["name"] in matrix, (e["name"], "run scripts/matrix")
' "$work/out"
expect_python 'kinds of findings' '
import pathlib, re
page = pathlib.Path("docs/reading-a-report.md").read_text()
for kind in re.findall(r"^SCOPECHECK_FINDING\(\w+, \"([\w-]+)\"", pathlib.Path("harness/verdict/kinds.def").read_text(), re.M):
    assert "`%s`" % kind in page, kind
'

finish

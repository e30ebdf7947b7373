#!/usr/bin/env bash
# The client rules and rustc's borrow checker agree on a fixed sample; what `explain --as rust` prints compiles.
# Called with the path of the scopecheck program; agree_with_rustc lies beside it. Without a rustc it is skipped.
set -uo pipefail

program=$1
agree=$(dirname "$program")/agree_with_rustc
rustc=${RUSTC:-$(command -v rustc || true)}
if [[ -z $rustc ]]; then
  printf 'skipped: there is no rustc here (rustup, or the package rustc-web)\n'
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
failed() {
  failures=$((failures + 1))
  printf 'FAILED: %s\n' "$*"
}

"$agree" --rustc "$rustc" --count 1000 --seed 1 || failed 'rustc and the rules disagree'

# One client per shape, as `explain --as rust` prints it.
explains() {
  "$program" explain --as rust "$@" >"$work/client.rs" || { failed "explain --as rust $*" && return; }
  "$rustc" --edition 2021 --crate-type lib --emit metadata --out-dir "$work" "$work/client.rs" 2>"$work/err" ||
    failed "$* does not compile: $(head -n 20 "$work/err")"
  grep -q 'pub fn client()' "$work/client.rs" || failed "no client in the output of $*"
}
explains --impl stacked_in_scope -e 'cell x; spawn t0 borrow mut x { write x } as h0 boxed; forget h0'
explains --impl heap_spawn -e 'spawn t0 { yield } as h0; poll h0'
explains --impl parent_driven -e 'cell x; scope s0; spawn t0 in s0 borrow mut x { write x }; poll s0'
for file in corpus/regressions/*.scn; do
  [[ $file == */suspendable_stack-* ]] || explains "$file"  # has no Rust form, and says so
done
"$program" explain --as latex --impl heap_spawn -e 'settle' >"$work/out" 2>&1 && failed 'explain --as latex is accepted'

# Named approximations (docs/client-rules.md): rustc accepts the client, the rules refuse it.
accepts() {
  local name=$1
  {
    printf '#![allow(unused)]\nmod reference {\n%s\n}\nuse reference::*;\nuse std::future::Future;\nuse std::pin::Pin;\n' \
      "$(<impls/rust/reference/reference.rs)"
    printf 'struct TestedApi;\nimpl Api for TestedApi {\n    type ScopePin = ();\n    type HandlePin = ();\n'
    printf "    type JoinPin = ();\n    type HandleKeeps<'s, F: Future> = %s;\n}\n" "${KEEPS:-()}"
    printf "type Scope<'a> = reference::Scope<'a, TestedApi>;\nfn client() {\n%s\n}\n" "$2"
  } >"$work/$name.rs"
  "$rustc" --edition 2021 --crate-type lib --emit metadata --out-dir "$work" "$work/$name.rs" 2>"$work/err"
}
lost_chance() {
  accepts "$1" "$2" || failed "$1: rustc refuses it, so it is no lost chance: $(head -n 8 "$work/err")"
}
refused() { ! accepts "$1" "$2" || failed "$1: rustc accepts it"; }

lost_chance loans_without_destructor 'let mut x = Memory::new(); let r = &mut x; write(r); read(&x);'
lost_chance consumed_by_a_block 'let s = Scope::new(); let b = Block::new(async { drop(s); });'
lost_chance task_captures_a_value 'let s = Scope::new(); let r = Scope::new(); s.spawn(async move { r.close(); });'
KEEPS=F lost_chance lent_while_a_destructor_holds_it 'let h = spawn_lending::<TestedApi, _>({ async move {
  let mut held;
  { held = Touch(Memory::new()); let g = spawn_lending::<TestedApi, _>({ let x = &mut held.0; async move { write(x); } }); }
} });'
KEEPS=F lost_chance held_twice 'let h = spawn_lending::<TestedApi, _>({ async move {
  let x = Memory::new(); let _a = Touch(&x); let _b = Touch(&x);
} });'
KEEPS=F lost_chance own_cell_lent_by_a_handle 'let h = spawn_lending::<TestedApi, _>({ async move {
  let mut x = Memory::new(); let g = spawn_lending::<TestedApi, _>({ let x = &mut x; async move { write(x); } });
} });'
KEEPS=F lost_chance lent_on_and_had_again 'let mut x = Memory::new(); let h = spawn_lending::<TestedApi, _>({ let x = &mut x; async move {
  let g = spawn_lending::<TestedApi, _>({ let x = &mut *x; async move { write(x); } }); drop(g); write(x);
} });'
lost_chance own_scope_from_a_future 'let mut x = Memory::new(); let s = Scope::new();
s.spawn({ let x = &mut x; let s = s.token(); async move { let b = Block::new(async { s.spawn({ let x = &mut *x; async move { write(x); } }); }); } });'
lost_chance own_scope_from_a_closure 'let mut x = Memory::new(); enter::<TestedApi>(|s| { s.spawn({ let x = &mut x; async move {
  enter::<TestedApi>(|_r| { s.spawn({ let x = &mut *x; async move { write(x); } }); }); } }); });'
lost_chance entered_in_an_async_block 'let mut x = Memory::new(); let b = Block::new(async {
  enter::<TestedApi>(|s| { s.spawn({ let x = &mut x; async move { write(x); } }); }); });'
lost_chance closed_in_a_block_that_never_ran 'let s = Scope::new(); let b = Block::new(async { s.close(); }); drop(b); s.spawn(async {});'
lost_chance read_on_after_lending_through_a_capture 'let mut x = Memory::new(); let s = Scope::new();
let b = Block::new(async { write(&mut x); s.spawn({ let x = &x; async move { read(x); } }); read(&x); });'
lost_chance spawned_in_a_block_that_never_ran 'let s = Scope::new(); let b = Block::new(async { s.spawn(async {}); }); drop(b); drop(s);'
# The same clients for an implementation in the tree, where one offers their ops: the rules refuse them, and say why.
rules_refuse() {
  local status=0
  "$program" explain --impl "$1" -e "$2" >"$work/out" 2>&1 || status=$?
  [[ $status == 2 ]] && grep -qF "$3" "$work/out" || failed "the rules do not refuse '$2' for '$3': $(head -n 2 "$work/out")"
}
rules_refuse stacked_in_scope 'cell x; spawn t0 borrow mut x { } as h0; read x' 'cannot read x: mutably borrowed by t0'
rules_refuse linked_children 'scope s0; async b0 { drop s0 }' 'this block uses it by reference'
rules_refuse stacked_in_scope 'spawn t0 { cell x; touch-on-drop result x; spawn t1 borrow mut x { } as h0 } as h1' 'a destructor of t0 holds it'
rules_refuse stacked_in_scope 'spawn t0 { cell x; touch-on-drop capture x; touch-on-drop result x } as h1' 'a destructor of t0 holds it'
rules_refuse linked_children 'cell x; scope s0; spawn t0 in s0 borrow mut x { async b0 { spawn t1 in s0 borrow mut x { } as h0 } } as h1' 's0 is not in scope here'
rules_refuse counting_scope 'scope s0; async b0 { close s0 }; drop b0; spawn t0 in s0 { }' 'a closed scope takes no more children'
rules_refuse counting_scope 'cell x; scope s0; async b0 { write x; spawn t0 in s0 borrow shared x { }; read x }' 'mutably borrowed by t0 through s0'
rules_refuse draining_closure 'async b0 { enter s0 { } }' 'not possible in this context'
# Only the end of a scope ends its loans, for rustc as for the rules.
refused loan_outlives_a_join 'let mut x = Memory::new(); let s = Scope::new(); s.spawn({ let x = &mut x; async move { write(x); } }); s.join(); read(&x);'
# A token that is a reference to its scope, and not a copy: no guard with a destructor can be used so.
refused token_by_reference "let s = Scope::new(); s.spawn({ let s = &s; async move { s.spawn(async {}); } });"

# Cells of the block die before the call returns, and nobody owns the scope.
refused cell_of_the_block "enter::<TestedApi>(|s| { let mut x = Memory::new(); s.spawn({ let x = &mut x; async move { write(x); } }); });"
refused scope_by_value "enter::<TestedApi>(|s| { drop(*s); });"

((failures == 0))

#!/usr/bin/env python3
"""Counts the scenarios that the exhaustive search visits: a second implementation, to compare the first one with.

Written from docs/client-rules.md ("the rules") and docs/exhaustive.md ("the cuts") by somebody who had not read the
C++.

    count_scenarios.py FILE             one line per length from 0 to `longest`: the length, a space, the count
    count_scenarios.py --list N FILE    the scenarios of exactly N ops as text, `---` between two

FILE is JSON: {"offers": {...}, "bounds": {...}, "longest": n}. A field of offers that is missing is false.

A program grows line by line, depth first. `Search.successors` yields every line that may come next, with the state
after it; `Search.grow` counts the programs of exactly n ops whose blocks are all closed. Ids of rules stand in
`backquotes` and cuts as (cut N), as in the documents. By cuts 1 and 2 nothing is read and nothing is lent shared, so
that *every* use of a cell is a write: a set of cells is enough to say what is borrowed, and the rules about shared
loans of cells do not occur below.
"""

import argparse
import collections
import itertools
import json
from typing import NamedTuple, Optional

NONE = frozenset()
TASKS = ("spawn", "reserve")
COUNTED = ("cell", "scope", "handle", "join", "future", "task", "frame")
DESTRUCTORS = ("capture", "result", "payload")  # in the order of cut 9
SHARED, MUT, CONSUMING = "shared", "mut", "consuming"  # how a value is used

# Cut 12: what makes a frame worth its while: the declaring and opening ops of cut 6, without `frame` itself.
FILLS_FRAME = frozenset("cell scope enter async spawn reserve join-as inside catch".split())
# Cut 13: ops through which a panic of the implementation or of a child can come.
FILLS_CATCH = frozenset("scope enter spawn reserve start join-as poll join inside drop cancel close detach "
                        "shutdown".split())
WAITS = ("}", "inside", "start", "poll", "await", "join", "close", "cancel", "detach", "drop", "settle", "shutdown", "throw")


class Loans(NamedTuple):
    """What a value borrows, or what a block has captured: cells (mutably), values shared, values mutably."""
    cells: frozenset = NONE
    shared: frozenset = NONE
    mut: frozenset = NONE


class Cell(NamedTuple):
    home: int                # the body it was declared in, an index into State.blocks
    after: Optional[str]     # the cell on the line right before (cut 5)
    used: bool = False       # lent, or held by a destructor (cut 4)


class Value(NamedTuple):
    kind: str                # scope, join, handle, future
    home: int
    boxed: bool = False
    entered: bool = False    # a lent scope
    started: bool = False
    done: bool = False
    closed: bool = False
    moved_out: bool = False
    loans: Loans = Loans()


class Task(NamedTuple):
    """What a spawn or reserve block has and others have not."""
    name: str
    scope: Optional[str]     # that it was spawned into: its own scope
    into_own: bool           # that scope is the own one of the task around, too
    lent: frozenset          # the cells named by its spawn
    borrowed: frozenset      # those it may still use: what is lent on into the own scope has left
    unused: frozenset        # those it has not used yet (cut 4)
    held: frozenset = NONE   # the cells that a destructor holds
    result: frozenset = NONE    # the cells named in `touch-on-drop result`
    payload: bool = False    # there is a `touch-on-drop payload`


class Block(NamedTuple):
    kind: str                # root, frame, catch, inside, enter, async, spawn, reserve
    body: int                # index of the body that it is or, a frame, belongs to
    declared: tuple = ()     # names of its cells and live values, oldest first
    captured: Loans = Loans()
    unreachable: bool = False   # a throw stands in it
    task: Optional[Task] = None
    future: Optional[tuple] = None   # of an async block: the name of its future, and whether that is boxed
    ops_before: int = 0      # State.ops, frame_fillers and catch_fillers when it had just been opened
    frame_fillers_before: int = 0
    catch_fillers_before: int = 0


class State:
    """The program so far, as far as rules and cuts ask for it. Copied by `after`, then changed; parts are immutable."""

    def __init__(self):
        self.blocks = [Block("root", 0)]
        self.cells = {}      # name -> Cell, those of open blocks, oldest first
        self.values = {}     # name -> Value, the live ones
        self.made = dict.fromkeys(COUNTED, 0)  # how many of each there have been
        self.ops = 0         # lines that count
        self.frame_fillers = self.catch_fillers = 0   # lines that cuts 12 and 13 ask for
        self.is_shut_down = False
        self.wakeable = ()   # tasks that park or keep a waker
        self.last = ("begin",)   # the last line, as the cuts about neighbours need it
        self.outline = ()    # the lines directly in the root

    def after(self, op, *details):
        """A copy in which the line `op` is written, but for its effects. The methods below add those."""
        new = self.copy()
        new.last = (op, *details)
        new.ops += op != "cell"
        new.frame_fillers += op in FILLS_FRAME
        new.catch_fillers += op in FILLS_CATCH
        if len(new.blocks) == 1:
            new.outline += (op,)
        return new

    def copy(self):
        new = State.__new__(State)
        new.__dict__.update(self.__dict__)
        new.blocks, new.cells, new.values = self.blocks[:], self.cells.copy(), self.values.copy()
        return new

    def change_block(self, i, **fields):
        self.blocks[i] = self.blocks[i]._replace(**fields)
        return self

    def change_task(self, i, **fields):
        return self.change_block(i, task=self.blocks[i].task._replace(**fields))

    def change_value(self, name, **fields):
        self.values[name] = self.values[name]._replace(**fields)
        return self

    def number(self, kind):
        """Makes one more of its kind, and returns its number."""
        self.made = {**self.made, kind: self.made[kind] + 1}
        return self.made[kind] - 1

    def open(self, kind, **fields):
        self.blocks.append(Block(kind, self.body if kind == "frame" else len(self.blocks), ops_before=self.ops,
                                 frame_fillers_before=self.frame_fillers, catch_fillers_before=self.catch_fillers,
                                 **fields))
        return self

    def declare(self, name, value):
        self.values[name] = value
        return self.put_last(name)

    def put_last(self, name, i=-1):
        return self.change_block(i, declared=self.blocks[i].declared + (name,))

    def take_from_its_place(self, name):
        for i, block in enumerate(self.blocks):
            if name in block.declared:
                self.change_block(i, declared=tuple(d for d in block.declared if d != name))
        return self

    def remove(self, name):
        del self.values[name]
        return self.take_from_its_place(name)

    # --- where we are ---

    @property
    def body(self):
        return self.blocks[-1].body

    def innermost_task(self):
        """Index of the innermost task block, 0 (the root's) if there is none."""
        return max((i for i, b in enumerate(self.blocks) if b.task), default=0)

    def is_main(self):
        return not any(b.task or b.kind in ("async", "inside") for b in self.blocks)

    def stands_before(self, x, scope):
        """In the one list of declarations."""
        names = [name for block in self.blocks for name in block.declared]
        return names.index(x) < names.index(scope)

    # --- the rules: using a cell, using a value ---

    def walk(self):
        """The bodies from the innermost outward."""
        i = self.body
        yield i
        while i > 0:
            i = self.blocks[i - 1].body
            yield i

    def is_cell_usable(self, x, lending):
        home = self.cells[x].home
        for i in self.walk():
            for v in self.values.values():
                if v.home == i and x in v.loans.cells:  # step 1: `borrow_while_mut_borrowed` and its like
                    return False
            task = self.blocks[i].task
            if lending and task and x in task.held:  # `held_by_destructor`
                return False
            if i == home:  # step 2
                return True
            if task:  # step 3: `not_borrowed`
                return x in task.borrowed

    def use_cell(self, x):
        """After is_cell_usable: it is captured on the way (step 4), and the task that had borrowed it has used it."""
        home = self.cells[x].home
        for i in self.walk():
            task, captured = self.blocks[i].task, self.blocks[i].captured
            if i == home:
                break
            if task:
                self.change_task(i, unused=task.unused - {x})
                break
            self.change_block(i, captured=captured._replace(cells=captured.cells | {x}))
        return self

    def note_first_use(self, x):
        """For cut 4; false by cut 5: of two neighbours the first is lent or held first."""
        cell = self.cells[x]
        self.cells[x] = cell._replace(used=True)
        return cell.used or not cell.after or self.cells[cell.after].used

    def is_usable(self, name, use):
        value = self.values[name]
        if use == CONSUMING and (value.entered or value.home != self.body):  # `consumed_through_capture`
            return False
        for i in self.walk():
            for v in self.values.values():
                if v.home == i and (name in v.loans.mut or use != SHARED and name in v.loans.shared):
                    return False  # `value_borrowed`
            if i == value.home:
                return True
            if self.blocks[i].task:  # `unknown`: a task sees no value from outside
                return False

    def use(self, name, use):
        """After is_usable, `use` being SHARED or MUT: it is captured on the way to its home."""
        for i in self.walk():
            if i == self.values[name].home:
                return self
            captured = self.blocks[i].captured
            self.change_block(i, captured=captured._replace(**{use: getattr(captured, use) | {name}}))


class Search:
    """Offers and bounds, and the programs that they allow."""

    def __init__(self, offers, bounds):
        self.offers = has = collections.defaultdict(bool, offers)
        self.bounds = bounds
        self.carrier = offers["carrier"]
        self.has_scopes = has["scope"] or has["scope_enter"]
        self.spawn_has_handle = has["handle"] and not has["spawn_awaited"] and not has["spawn_without_handle"]
        self.box_choices = (False, True) if has["box"] else (False,)
        self.suspending_bodies = ("async",) if has["blocks"] else ("async", "inside")
        self.awaiting_bodies = ("async",) if has["blocks"] else ("async", "inside") + TASKS

    # --- the search ---

    def count(self, length):
        return self.grow(State(), length, [], None)

    def scenarios(self, length):
        """The text of each, as a list."""
        found = []
        self.grow(State(), length, [], found)
        return found

    def grow(self, state, left, lines, found):
        """How many programs begin with these lines and have `left` ops more; their texts go to `found`, if not None."""
        if left == 0 and len(state.blocks) == 1:
            is_kept = self.may_end(state)
            if is_kept and found is not None:
                found.append("\n".join(lines))
            return int(is_kept)
        total = 0
        for line, new in self.successors(state, left):
            if not self.may_follow_next(state, line):
                continue
            new_left = left - (new.ops - state.ops)
            if self.ops_still_needed(new) <= new_left:
                lines.append("  " * (min(len(state.blocks), len(new.blocks)) - 1) + line)
                total += self.grow(new, new_left, lines, found)
                lines.pop()
        return total

    def may_follow_next(self, state, line):
        """Cut 22: a choice is right before the line in which it is made, and no last word for who would go anyway."""
        if state.last[0] != "next" or line.startswith("next "):
            return True
        word = line.split()[0]
        waits = word in WAITS and " as " not in line.replace("} as", "}") and line != "throw bomb"
        return waits and (self.offers["yields"] or state.last[1] != "t0")

    def ops_still_needed(self, state):
        """No completion has fewer ops than this. No op is counted for two obligations."""
        values = sum(self.ops_owed_to(v) for v in state.values.values())
        cells = sum(not c.used for c in state.cells.values())  # cut 4: a spawn uses at most `borrows` of them
        throws = 0
        anything = state.last[0] in ("cell", "end async")  # cuts 6 and 7
        for b in state.blocks:
            if b.task:
                cells += len(b.task.unused)  # cut 4
                throws += b.task.payload and not state.blocks[-1].unreachable  # cut 11
            elif not self.is_filled(state, b):
                anything = True
        return max(anything, values + throws + -(-cells // max(1, self.bounds["borrows"])))

    def ops_owed_to(self, value):
        """How many ops on this value have to come before the end of its block."""
        unpolled = value.kind == "future" and not value.started  # cut 8; if boxed, it is polled first and then consumed
        return unpolled + (value.boxed and not value.moved_out)  # cut 16

    def is_filled(self, state, block):
        """Whether enough stands in the block, at any depth, for it to be kept."""
        if block.kind == "frame":
            return state.frame_fillers > block.frame_fillers_before  # cut 12
        if block.kind == "catch":
            return state.catch_fillers > block.catch_fillers_before  # cut 13
        if block.kind == "inside":
            return state.made["task"] > 0  # cut 14
        return block.kind != "async" or state.ops > block.ops_before  # cut 14

    # --- ends of blocks ---

    def may_close(self, state):
        """Whether the cuts let the innermost block, be it the root, end here."""
        block, task = state.blocks[-1], state.blocks[-1].task
        if state.last[0] in ("cell", "end async") or state.last == ("drop", "newest"):  # cuts 6, 7 and 15
            return False
        if task and (task.unused  # cut 4
                     or task.payload and not block.unreachable or task.result and block.unreachable):  # cut 11
            return False
        for name in block.declared:
            if not state.cells[name].used if name in state.cells else self.ops_owed_to(state.values[name]):
                return False  # cut 4; cuts 8 and 16
        return self.is_filled(state, block)

    def may_end(self, state):
        return self.may_follow_next(state, "}") and self.may_close(state) and state.outline != ("frame",)  # cut 12: the whole scenario is not one frame

    def closings(self, state):
        """`}` in each of its forms. It drops what the block declared."""
        if not self.may_close(state):
            return
        new, block = state.copy(), state.blocks[-1]
        new.blocks.pop()
        for name in block.declared:
            del (new.cells if name in new.cells else new.values)[name]
        new.last = ("end " + block.kind,)
        if block.task:
            yield from self.task_closings(new, block.kind, block.task)
            return
        if block.kind == "async":
            name, boxed = block.future
            new.declare(name, Value("future", new.body, boxed=boxed, loans=block.captured))
            new.last = ("end async", name)
        elif block.unreachable and block.kind != "catch":  # a frame, inside or enter passes the panic on
            new.change_block(-1, unreachable=True)
        yield "}", new

    def task_closings(self, state, kind, task):
        if kind == "spawn" and not self.spawn_has_handle:
            state.last = ("end task", None, task.scope)
            yield ("} await" if self.offers["spawn_awaited"] else "}"), state
            return
        # Of cells lent into the own scope a loan is no new one, but nobody can tell: the task around uses them no more.
        cells = scopes = NONE
        if self.carrier == "handle" or kind == "reserve" or self.offers["handle_embeds_child"]:
            cells = task.lent
        elif self.offers["handle_poll"] or self.offers["handle_join"]:  # the handle hands over the result
            cells = task.lent & task.result
        if task.scope and not task.into_own and (kind == "reserve" or self.offers["handle_borrows_scope"]):
            scopes = frozenset((task.scope,))
        for boxed in self.box_choices:
            new = state.copy()
            h = f"h{new.number('handle')}"
            new.last = ("end task", h, task.scope)
            yield f"}} as {h}" + " boxed" * boxed, new.declare(h, Value(
                "handle", new.body, boxed=boxed, started=kind == "spawn", loans=Loans(cells, scopes)))

    # --- the next line ---

    def successors(self, state, left):
        """Each line that may come next, with the state after it. `left` ops are to come, that line included."""
        if len(state.blocks) > 1:
            yield from self.closings(state)
        if left == 0 or state.blocks[-1].unreachable:  # `unreachable`
            return
        task = state.innermost_task()
        if task and state.ops - state.blocks[task].ops_before >= self.bounds["steps"]:
            return
        yield from self.cells(state)
        yield from self.scopes(state)
        yield from self.join_objects(state)
        yield from self.spawns(state)
        yield from self.destructors(state)
        if left > 1:  # not opened as the last op
            yield from self.openings(state)
        if state.last[0] == "cell":  # cut 6
            return
        if state.last[0] == "end async":  # cut 7
            yield from self.polls(state, state.last[1])
            return
        for name in state.values:
            yield from self.polls(state, name)
            yield from self.uses_of_value(state, name)
            yield from self.ends_of_value(state, name)
        yield from self.steps_of_body(state)
        yield from self.driving(state)

    # --- declarations and blocks ---

    def cells(self, state):
        if state.made["cell"] >= self.bounds["cells"]:
            return
        if self.carrier == "none" and not state.blocks[-1].task:  # only a destructor there could use it (cut 4)
            return
        new = state.after("cell")
        x = "xyzwabcd"[new.number("cell")]
        new.last = ("cell", x)
        new.cells[x] = Cell(state.body, after=state.last[1] if state.last[0] == "cell" else None)
        yield f"cell {x}", new.put_last(x)

    def scopes(self, state):
        if state.is_shut_down or state.made["scope"] >= self.bounds["scopes"]:  # `after_shutdown`
            return
        task = state.innermost_task()
        if task and not self.offers["child_scopes"]:
            return
        s = f"s{state.made['scope']}"
        for boxed in self.box_choices if self.offers["scope"] else ():
            new = state.after("scope", s)
            new.number("scope")
            yield f"scope {s}" + " boxed" * boxed, new.declare(s, Value("scope", new.body, boxed=boxed))
        # Entering blocks: no async block is open further in than the innermost task, if any (`wrong_place`).
        # On suspendable stacks there, too.
        if self.offers["scope_enter"] and (self.offers["stack"]
                                           or all(b.kind != "async" for b in state.blocks[task:])):
            new = state.after("enter").open("enter")
            new.number("scope")
            yield f"enter {s} {{", new.declare(s, Value("scope", new.body, entered=True))

    def join_objects(self, state):
        for s, scope in state.values.items() if self.offers["scope_join_as"] else ():
            if scope.kind == "scope" and state.is_usable(s, SHARED):
                for boxed in self.box_choices:
                    new = state.after("join-as").use(s, SHARED)
                    j = f"j{new.number('join')}"
                    yield f"join {s} as {j}" + " boxed" * boxed, new.declare(j, Value(
                        "join", new.body, boxed=boxed, loans=Loans(shared=frozenset((s,)))))

    def openings(self, state):
        """`frame`, `catch`, `inside` and `async`."""
        if state.made["frame"] < self.bounds["frames"]:
            new = state.after("frame").open("frame")
            new.number("frame")
            yield "frame {", new
        if self.offers["throws"] and state.is_main():
            yield "catch {", state.after("catch").open("catch")
        if self.offers["inside"] and state.is_main() and not state.is_shut_down:
            yield "inside {", state.after("inside").open("inside")
        if self.offers["async"] and state.made["future"] < self.bounds["async_blocks"]:
            for boxed in self.box_choices:
                new = state.after("async")
                b = f"b{new.number('future')}"
                yield f"async {b}{' boxed' * boxed} {{", new.open("async", future=(b, boxed))

    # --- tasks ---

    def spawns(self, state):
        if state.is_shut_down or state.made["task"] >= self.bounds["tasks"]:  # `after_shutdown`
            return
        kinds = ["reserve"] if self.offers["reserve"] else []
        if not self.offers["spawn_awaited"] or self.may_await(state):  # `await_outside_async`
            kinds.insert(0, "spawn")
        lendable = ()
        if self.carrier != "none":  # `not_offered`
            lendable = [x for x in state.cells if state.is_cell_usable(x, lending=True)]
        for scope, is_own in self.scope_choices(state):
            carried = [x for x in lendable if self.may_carry(state, scope, is_own, x)]
            for size in range(self.bounds["borrows"] + 1):
                for lent, kind in itertools.product(itertools.combinations(carried, size), kinds):
                    yield from self.spawn(state, kind, scope, is_own, lent)

    def suspending_kind(self, state):
        """Of the body that suspends here: on a suspendable stack an async block does from within its `enter`s."""
        if self.offers["stack"]:
            around = next(i for i in state.walk() if state.blocks[i].kind != "enter")
            if state.blocks[around].kind == "async":
                return "async"
        return state.blocks[state.body].kind

    def may_await(self, state):
        return self.suspending_kind(state) in self.awaiting_bodies

    def scope_choices(self, state):
        """Of a spawn: (scope or None, whether it is the own one)."""
        task = state.innermost_task()
        if not self.has_scopes and (not task or self.offers["spawn_nested"]):
            yield None, False
        for s, value in state.values.items():
            if value.kind == "scope" and not value.closed and state.is_usable(s, SHARED):  # `scope_closed`
                yield s, False
        if self.has_scopes and task and state.body == task and self.offers["spawn_nested"]:  # directly in the body
            yield state.blocks[task].task.scope, True

    def may_carry(self, state, scope, is_own, x):
        """`declared_after_carrier`."""
        if is_own:
            return x in state.blocks[state.body].task.borrowed
        return (self.carrier != "scope" or not scope or state.cells[x].home < state.values[scope].home
                or state.stands_before(x, scope))

    def spawn(self, state, kind, scope, is_own, cells):
        new = state.after(kind)
        lent = frozenset(cells)
        if not all(new.use_cell(x).note_first_use(x) for x in cells):  # cut 5
            return
        if is_own:  # no new loan, but what is lent on mutably has moved
            new.change_task(new.body, borrowed=new.blocks[new.body].task.borrowed - lent)
        elif scope:
            loans = new.use(scope, SHARED).values[scope].loans
            if self.carrier == "scope":
                loans = loans._replace(cells=loans.cells | lent)
            new.change_value(scope, started=True, loans=loans)
        t = f"t{new.number('task')}"
        into = " in own" if is_own else f" in {scope}" if scope else ""
        borrows = " borrow " + ", ".join("mut " + x for x in cells) if cells else ""
        yield f"{kind} {t}{into}{borrows} {{", new.open(
            kind, task=Task(t, scope, is_own, lent, borrowed=lent, unused=lent))

    def destructors(self, state):
        """`touch-on-drop`, directly in a task's block."""
        block, task, last = state.blocks[-1], state.blocks[-1].task, state.last
        if not task or last[0] not in TASKS + ("cell", "touch"):  # cut 9
            return
        first = DESTRUCTORS.index(last[1]) + 1 if last[0] == "touch" else 0  # cut 9: in this order
        for kind, x in itertools.product(DESTRUCTORS[first:], state.cells):
            if x in block.declared:
                is_wanted = kind == "payload" or kind == "result" and self.carrier == "none"  # cut 10
            else:
                is_wanted = kind != "payload"  # `payload_must_own`
            if not is_wanted or kind == "payload" and task.result or kind == "result" and task.payload:  # cut 11
                continue
            if x in task.held or not state.is_cell_usable(x, lending=False):  # `held_by_destructor`
                continue
            new = state.after("touch", kind)
            if new.use_cell(x).note_first_use(x):  # cut 5
                result = new.blocks[-1].task.result | ({x} if kind == "result" else NONE)
                new.change_task(-1, held=task.held | {x}, result=result, payload=task.payload or kind == "payload")
                yield f"touch-on-drop {kind} {x}", new

    # --- values ---

    def is_movable(self, value):
        mobility = "until_started" if value.kind == "future" else self.offers[value.kind + "_mobility"]
        return value.boxed or mobility == "always" or mobility == "until_started" and not value.started

    def polls(self, state, name):
        """`poll` and `await`."""
        value = state.values[name]
        if value.kind in ("scope", "handle") and not self.offers[value.kind + "_poll"]:
            return
        if value.done or value.kind == "handle" and not value.started:  # `polled_after_done`, `not_started`
            return
        if state.is_usable(name, MUT):
            yield f"poll {name}", state.after("poll").use(name, MUT).change_value(name, started=True)
        if not self.may_await(state):  # `await_outside_async`
            return
        if value.kind == "future" and value.boxed and not value.started:  # cut 8
            return
        if value.kind != "scope" and self.is_movable(value):
            if state.is_usable(name, CONSUMING):
                yield f"await {name}", state.after("await").remove(name)
        elif state.is_usable(name, MUT):
            yield f"await {name}", state.after("await").use(name, MUT).change_value(
                name, started=True, done=value.kind != "scope")

    def uses_of_value(self, state, name):
        """What else leaves the value alive and in its place."""
        kind, started = state.values[name].kind, state.values[name].started
        if kind == "handle" and not started and not state.is_shut_down and state.is_usable(name, MUT):
            yield f"start {name}", state.after("start").use(name, MUT).change_value(name, started=True)
        if kind not in ("scope", "handle") or not state.is_usable(name, SHARED):
            return
        if self.offers[kind + "_cancel"] and (kind == "scope" or started):  # `not_started`
            yield f"cancel {name}", state.after("cancel").use(name, SHARED)
        if kind == "scope" and self.offers["scope_join"] and state.is_main():
            yield f"join {name}", state.after("join").use(name, SHARED)
        if kind == "scope" and self.offers["scope_close"]:
            yield f"close {name}", state.after("close").use(name, SHARED).change_value(name, closed=True)

    def ends_of_value(self, state, name):
        """The consuming ops, moves included."""
        value, block = state.values[name], state.blocks[-1]
        if not state.is_usable(name, CONSUMING) or value.kind == "future" and not value.started:  # cut 8
            return
        if value.moved_out or not value.boxed:  # cut 16
            is_newest = block.declared[-1:] == (name,)
            yield f"drop {name}", state.after("drop", "newest" if is_newest else "older").remove(name)
        if not self.is_movable(value):  # `pinned`
            return
        if value.kind == "handle" and value.started:  # `not_started`
            if self.offers["handle_join"] and state.is_main():
                yield f"join {name}", state.after("join").remove(name)
            if self.offers["handle_detach"]:
                yield f"detach {name}", state.after("detach").remove(name)
        if self.offers["move"]:
            if not value.boxed:  # cut 16
                yield f"move {name}", state.after("move").take_from_its_place(name).put_last(name)
            if block.kind == "frame" and not frozenset().union(*value.loans).intersection(block.declared):
                new = state.after("move").take_from_its_place(name)  # not `moved_to_longer_life`
                yield f"move {name} out", new.put_last(name, -2).change_value(name, moved_out=True)
        if self.offers["forget"]:  # no `cycle` (cut 17)
            # Cut 18: a box is forgotten as early as possible.
            if not value.boxed or state.last[0] not in ("scope", "end task") or name in state.last[1:]:
                yield f"forget {name}", state.after("forget").remove(name)
            if self.offers["forget_in_place"] and not value.boxed and value.kind != "future":
                yield f"forget {name} in-place", state.after("forget").remove(name)

    # --- the rest ---

    def steps_of_body(self, state):
        """What a body does by itself."""
        task = state.blocks[state.body].task
        if self.suspending_kind(state) in self.suspending_bodies:
            yield "suspend", state.after("suspend")
        for line in ("throw", "throw bomb") if task else ("throw",):  # cut 20
            if self.offers["throws"]:
                yield line, state.after("throw").change_block(-1, unreachable=True)
        if not task:
            return
        for x in state.cells:
            if x in task.borrowed and state.is_cell_usable(x, lending=False):  # cut 3; cut 1: no `read`
                yield f"write {x}", state.after("write").use_cell(x)
        yield "yield", state.after("yield")
        for line in ("park", "keep waker") if self.offers["keep_waker"] else ("park",):
            new = state.after(line)
            if task.name not in new.wakeable:
                new.wakeable += (task.name,)
            yield line, new

    def driving(self, state):
        if not state.innermost_task():
            for t in state.wakeable:
                yield f"wake {t}", state.after("wake")
        if state.is_shut_down or not state.is_main():  # `after_shutdown`, `wrong_place`
            return
        tasks = state.made["task"]
        may_progress = tasks > 0 and state.last[0] != "settle"  # cut 19
        if self.offers["run"] or self.offers["threads"]:
            for t in range(tasks):
                yield f"step t{t}", state.after("step")
                if self.offers["threads"] and tasks > (0 if self.offers["yields"] else 1):  # cut 22
                    yield f"next t{t}", state.after("next", f"t{t}")
            if may_progress:
                yield "settle", state.after("settle")
        if self.offers["run"] and may_progress:
            yield "run 1", state.after("run")
        if self.offers["shutdown"] and any(state.made[k] for k in ("task", "scope", "handle", "join", "future")):
            new = state.after("shutdown")  # cut 21
            new.is_shut_down = True
            yield "shutdown", new


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", type=int, metavar="N", help="print the scenarios of exactly N ops")
    parser.add_argument("file", metavar="FILE", type=argparse.FileType(encoding="utf-8"), help="JSON, see above")
    arguments = parser.parse_args()
    wanted = json.load(arguments.file)
    search = Search(wanted["offers"], wanted["bounds"])
    if arguments.list is not None:
        print("\n---\n".join(search.scenarios(arguments.list)))
        return
    for length in range(wanted["longest"] + 1):
        print(length, search.count(length), flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Counts the scenarios that the exhaustive search keeps: a second opinion for harness/generator.

    count_scenarios.py FILE    FILE: {"offers": {...}, "bounds": {...}, "longest": n} as JSON

prints one line per length, 0 to n: the length and how many scenarios are kept. Written from docs/client-rules.md and
docs/exhaustive.md, not from the C++: programs are grown as trees, block by block, a loan is a triple in one set, and
the cuts look at neighbours in a block and at whole blocks. Where the two disagree, one of them or the docs are wrong.
With --list, prints the programs of length n instead.
"""

import json
import sys
from collections import namedtuple

# ---- what the rules keep (docs/client-rules.md, "State") -----------------------------------------------------------

# kind: root, catch, inside, enter, async, task. Of a task: its number, its own scope, what was lent to it as ((cell, exclusive), ...),
# the cells that destructors hold, that its result borrows, that it used, and how many ops stand in it. captured: {(thing, exclusive)}.
Body = namedtuple("Body", "kind number own lent held result used captured steps")
# kind: scope, handle, join, future; lent: the scope of an `enter`
Value = namedtuple("Value", "kind home boxed started done closed moved lent")
# decls: ((thing, block), ...), oldest first; thing: ("c", n) or ("v", n). loans: {(holder, thing, exclusive)}.
State = namedtuple("State", "bodies decls loans cells values tasks mentioned twins down scopes frames asyncs")

EMPTY = frozenset()
SHARED, MUT, CONSUME = 0, 1, 2
DECLARING = {"cell", "scope", "enter", "async", "spawn", "reserve", "join_as", "frame", "inside", "catch"}
OPENING = {"spawn", "reserve", "async", "frame", "inside", "enter", "catch"}
DESTRUCTORS = ("capture", "result", "payload")
PANICKING = {"scope", "enter", "spawn", "reserve", "start", "join_as", "poll", "join", "inside", "drop", "cancel", "close", "detach", "shutdown"}


def new_body(kind, number=None, own=None, lent=()):
    return Body(kind, number, own, lent, EMPTY, EMPTY, EMPTY, EMPTY, 0)


class Counter:
    def __init__(self, offers, bounds):
        offers = {name + "_" if name == "async" else name: value for name, value in offers.items()}
        self.api = namedtuple("Api", offers)(**offers)
        self.bounds = namedtuple("Bounds", bounds)(**bounds)
        self.next_block = 0

    # ---- the client rules --------------------------------------------------------------------------------------

    def home(self, s, thing):
        return s.cells[thing[1]] if thing[0] == "c" else s.values[thing[1]].home

    def live(self, s, thing):
        return any(d[0] == thing for d in s.decls)

    def place(self, s, thing):
        return [d[0] for d in s.decls].index(thing)

    def movable(self, v):
        if v.boxed:
            return True
        rule = {"scope": self.api.scope_mobility, "handle": self.api.handle_mobility,
                "join": self.api.join_mobility, "future": "until_started"}[v.kind]
        return rule == "always" or (rule == "until_started" and not v.started)

    def use(self, s, thing, mode):
        """The state after the innermost body used `thing`; None if it may not."""
        bodies = list(s.bodies)
        home = self.home(s, thing)
        for depth in range(len(bodies) - 1, -1, -1):
            for holder, target, exclusive in s.loans:
                if target == thing and (exclusive or mode != SHARED) and s.values[holder].home == depth:
                    return None
            if home == depth:
                break
            if mode == CONSUME:
                return None
            body = bodies[depth]
            if body.kind == "task":
                if thing[0] == "v" or not self.lent_to(body, thing[1], mode != SHARED):
                    return None
                bodies[depth] = body._replace(used=body.used | {thing[1]})
                break
            bodies[depth] = body._replace(captured=body.captured | {(thing, mode != SHARED)})
        return s._replace(bodies=tuple(bodies))

    @staticmethod
    def lent_to(body, cell, exclusively):
        return any(c == cell and (exclusive or not exclusively) for c, exclusive in body.lent)

    @staticmethod
    def holds(body, cell):
        """A destructor of the task holds the cell, and no copy of it is to be had."""
        return cell in body.held and (cell, False) not in body.lent

    @staticmethod
    def in_main(s):
        return all(b.kind in ("root", "catch", "enter") for b in s.bodies)

    @staticmethod
    def nearest_task(s):
        for b in reversed(s.bodies):
            if b.kind == "task":
                return b
        return None

    @staticmethod
    def gone(s, v):
        return s._replace(decls=tuple(d for d in s.decls if d[0] != ("v", v)),
                          loans=frozenset(l for l in s.loans if l[0] != v))

    @staticmethod
    def set_value(s, v, **changes):
        values = list(s.values)
        values[v] = values[v]._replace(**changes)
        return s._replace(values=tuple(values))

    def declare(self, s, block, kind, boxed, started=False, loans=(), lent=False):
        v = len(s.values)
        return s._replace(values=s.values + (Value(kind, len(s.bodies) - 1, boxed, started, False, False, False, lent),),
                          decls=s.decls + ((("v", v), block),),
                          loans=s.loans | {(v, thing, exclusive) for thing, exclusive in loans})

    def can_await(self, s):
        return s.bodies[-1].kind == "async" or (not self.api.blocks and s.bodies[-1].kind in ("inside", "task"))

    # ---- ops on values: each yields (op, state after) ---------------------------------------------------------------

    def value_ops(self, s, block, block_kind, parent):
        api = self.api
        for thing, _ in s.decls:
            if thing[0] != "v":
                continue
            v = thing[1]
            value = s.values[v]
            kind = value.kind
            shared, mut = self.use(s, thing, SHARED), self.use(s, thing, MUT)
            taken = None if value.lent else self.use(s, thing, CONSUME)
            can_move = taken is not None and self.movable(value)
            started = kind != "handle" or value.started  # a reserved child is not, until `start`
            pollable = {"scope": api.scope_poll, "handle": api.handle_poll and started, "join": True, "future": True}[kind]

            if not started and mut is not None and not s.down:
                yield ("start", v), self.set_value(mut, v, started=True)

            if pollable and not value.done and mut is not None:
                yield ("poll", v), self.set_value(mut, v, started=True)
            if pollable and not value.done and self.can_await(s):
                if kind != "scope" and self.movable(value):
                    if taken is not None:
                        yield ("await", v), self.gone(taken, v)
                elif mut is not None:
                    yield ("await", v), self.set_value(mut, v, started=True, done=kind != "scope")
            if taken is not None:
                yield ("drop", v, "newest" if s.decls[-1] == (thing, block) else "older"), self.gone(taken, v)
            if kind == "scope" and api.scope_join and self.in_main(s) and shared is not None:
                yield ("join", v), shared
            if kind == "handle" and api.handle_join and started and self.in_main(s) and can_move:
                yield ("join", v), self.gone(taken, v)
            if (api.scope_cancel if kind == "scope" else api.handle_cancel and kind == "handle") and started and shared is not None:
                yield ("cancel", v), shared
            if kind == "scope" and api.scope_close and shared is not None:
                yield ("close", v), self.set_value(shared, v, closed=True)
            if kind == "handle" and api.handle_detach and started and can_move:
                yield ("detach", v), self.gone(taken, v)
            if api.move and can_move:
                rest = tuple(d for d in taken.decls if d[0] != thing)
                after = self.set_value(taken, v, moved=True)
                yield ("move", v), after._replace(decls=rest + ((thing, block),))
                if block_kind == "frame" and not self.borrows_from_block(s, v, block):
                    at = next((i for i, d in enumerate(rest) if d[1] == block), len(rest))
                    yield ("move_out", v), after._replace(decls=rest[:at] + ((thing, parent),) + rest[at:])
            if api.forget and can_move:
                yield ("forget", v, "plain"), self.gone(taken, v)
                yield ("forget", v, "cycle"), self.gone(taken, v)
                if api.forget_in_place and not value.boxed and kind != "future":
                    yield ("forget", v, "in-place"), self.gone(taken, v)
            if kind == "scope" and api.scope_join_as and shared is not None:
                for boxed in self.boxes():
                    yield ("join_as", v, boxed), self.declare(shared, block, "join", boxed, loans=[(thing, False)])

    def boxes(self):
        return (False, True) if self.api.box else (False,)

    @staticmethod
    def borrows_from_block(s, v, block):
        there = {d[0] for d in s.decls if d[1] == block}
        return any(holder == v and thing in there for holder, thing, _ in s.loans)

    # ---- other ops that open nothing ----------------------------------------------------------------------------------

    def plain_ops(self, s, block, block_kind):
        api = self.api
        body = s.bodies[-1]
        main = self.in_main(s)
        if len(s.cells) < self.bounds.cells:
            c = len(s.cells)
            yield ("cell", c), s._replace(cells=s.cells + (len(s.bodies) - 1,), decls=s.decls + ((("c", c), block),))
        for thing, _ in s.decls:
            if thing[0] == "c":
                for kind, mode in (("read", SHARED), ("write", MUT)):
                    after = self.use(s, thing, mode)
                    if after is not None:
                        yield (kind, thing[1]), after
        if body.kind == "task":
            wakes = s._replace(tasks=s.tasks[:body.number] + (True,) + s.tasks[body.number + 1:])
            yield ("yield",), s
            yield ("park",), wakes
            if api.keep_waker:
                yield ("keep_waker",), wakes
        if block_kind == "task":
            yield from self.destructors(s, body)
        if body.kind == "async" or (body.kind == "inside" and not api.blocks):
            yield ("suspend",), s
        if api.scope and len(self.scopes(s)) < self.bounds.scopes and not s.down:
            if api.child_scopes or self.nearest_task(s) is None:
                for boxed in self.boxes():
                    yield ("scope", len(s.values), boxed), self.declare(s, block, "scope", boxed)
        if self.nearest_task(s) is None:
            for t, wakes in enumerate(s.tasks):
                if wakes:
                    yield ("wake", t), s
        if main and not s.down:
            if api.run or api.blocks:
                for t in range(len(s.tasks)):
                    yield ("step", t), s
                yield ("settle",), s
            if api.run:
                yield ("run",), s
            if api.shutdown:
                yield ("shutdown",), s._replace(down=True)
        if api.throws:
            yield ("throw",), s
            yield ("throw_bomb",), s

    @staticmethod
    def scopes(s):
        return [v for v, value in enumerate(s.values) if value.kind == "scope"]

    def destructors(self, s, body):
        depth = len(s.bodies) - 1
        for thing, _ in s.decls:
            if thing[0] != "c" or self.holds(body, thing[1]):
                continue
            c = thing[1]
            own = s.cells[c] == depth
            if not own and not self.lent_to(body, c, False):
                continue
            after = self.use(s, thing, MUT if own or self.lent_to(body, c, True) else SHARED)
            if after is None:
                continue
            for kind in DESTRUCTORS:
                if kind == "payload" and (not own or not self.api.throws):
                    continue
                last = after.bodies[-1]
                last = last._replace(held=last.held | {c}, result=last.result | ({c} if kind == "result" and not own else EMPTY))
                yield (kind, c), after._replace(bodies=after.bodies[:-1] + (last,), mentioned=after.mentioned | {c})

    # ---- spawns -------------------------------------------------------------------------------------------------------

    def loan_sets(self, s):
        """Every way to lend at most `borrows` cells, as tuples of (cell, exclusive)."""
        ways = [()]
        if self.api.carrier == "none":
            return ways
        for c in range(len(s.cells)):
            ways += [w + ((c, x),) for w in ways if len(w) < self.bounds.borrows for x in (False, True)]
        return ways

    def spawns(self, s):
        """(kind, scope or None, loans, boxed, the scope that the handle borrows, state in which the task's block begins)"""
        api = self.api
        if s.down or len(s.tasks) == self.bounds.tasks:
            return
        kinds = [("spawn", self.spawn_has_handle())] if not api.spawn_awaited or self.can_await(s) else []
        if api.reserve:
            kinds.append(("reserve", True))
        for scope in self.scopes(s) if api.scope or api.scope_enter else [None]:
            body = s.bodies[-1]
            own = scope is not None and body.kind == "task" and body.own == scope
            begun = s
            if scope is not None:
                if s.values[scope].closed or (not own and not self.live(s, ("v", scope))):
                    continue
                if not own:
                    begun = self.use(s, ("v", scope), SHARED)
                    if begun is None:
                        continue
                begun = self.set_value(begun, scope, started=True)
            if self.nearest_task(s) is not None and (own or scope is None) and not api.spawn_nested:
                continue
            for loans in self.loan_sets(s):
                after = self.lend(begun, scope, own, loans)
                if after is None:
                    continue
                inner = new_body("task", len(s.tasks), scope, loans)
                after = after._replace(bodies=after.bodies + (inner,), tasks=after.tasks + (False,),
                                       mentioned=after.mentioned | {c for c, _ in loans})
                for kind, has_handle in kinds:
                    names = scope if (kind == "reserve" or api.handle_borrows_scope) and not own else None
                    for boxed in self.boxes() if has_handle else (False,):
                        yield kind, scope, loans, boxed, names, after

    def spawn_has_handle(self):
        return self.api.handle and not self.api.spawn_awaited and not self.api.spawn_without_handle

    def lend(self, s, scope, own, loans):
        depth = len(s.bodies) - 1
        for c, exclusive in loans:
            thing = ("c", c)
            if not self.live(s, thing):
                return None
            s = self.use(s, thing, MUT if exclusive else SHARED)
            if s is None:
                return None
            task = self.nearest_task(s)
            if task is not None and self.holds(task, c):
                return None
            if own:
                if s.cells[c] == depth:
                    return None
                body = s.bodies[-1]
                lent = tuple(l for l in body.lent if l[0] != c)
                if not exclusive and self.api.carrier == "scope":
                    lent += ((c, False),)
                elif not exclusive:
                    lent = body.lent
                s = s._replace(bodies=s.bodies[:-1] + (body._replace(lent=lent),))
            elif self.api.carrier == "scope":
                home = s.values[scope].home
                if s.cells[c] >= home and self.place(s, thing) > self.place(s, ("v", scope)):
                    return None
                captured = any((thing, True) in body.captured for body in s.bodies[home + 1:])
                s = s._replace(loans=s.loans | {(scope, thing, exclusive or captured)})
        return s

    def handle_loans(self, kind, loans, result):
        api = self.api
        if api.carrier == "none":
            return []
        if api.carrier == "handle" or api.handle_embeds_child or kind == "reserve":
            return [(("c", c), x) for c, x in loans]
        if api.handle_poll or api.handle_join:
            return [(("c", c), x) for c, x in loans if c in result]
        return []

    # ---- growing programs ---------------------------------------------------------------------------------------------

    def statements(self, s, block, block_kind, parent, left):
        """Every statement that may come next: (statement, state after, ops left, whether it panics)."""
        if left == 0:
            return
        task = self.nearest_task(s)
        if task is not None and task.steps >= self.bounds.steps:
            return
        for op, after in self.plain_ops(s, block, block_kind):
            cost = 0 if op[0] == "cell" else 1
            yield op, self.stepped(after, cost), left - cost, op[0] in ("throw", "throw_bomb")
        for op, after in self.value_ops(s, block, block_kind, parent):
            yield op, self.stepped(after, 1), left - 1, False

        outside = len(s.bodies)
        for kind, scope, loans, boxed, names, begun in self.spawns(self.stepped(s, 1)):
            if not keeps_spawn(s, loans):
                continue
            for inner, end, rest, panics in self.blocks(begun, block, "task", left - 1):
                closed = end._replace(bodies=end.bodies[:outside])
                has_handle = kind == "reserve" or self.spawn_has_handle()
                handle = len(closed.values) if has_handle else None
                if not keeps_task(loans, end.bodies[outside], inner, panics):
                    continue
                if has_handle:
                    held = self.handle_loans(kind, loans, end.bodies[outside].result)
                    if names is not None and self.live(closed, ("v", names)):
                        held = held + [(("v", names), False)]
                    closed = self.declare(closed, block, "handle", boxed, kind == "spawn", held)
                yield (kind, scope, loans, boxed, handle, inner), closed, rest, False

        charged = self.stepped(s, 1)
        if self.may_enter(s):
            begun = charged._replace(bodies=charged.bodies + (new_body("enter"),))
            for inner, end, rest, panics in self.blocks(begun, block, "enter", left - 1):
                yield ("enter", len(s.values), inner), end._replace(bodies=end.bodies[:outside]), rest, panics
        if left < 2:
            return
        if self.api.async_ and s.asyncs < self.bounds.async_blocks:
            begun = charged._replace(asyncs=s.asyncs + 1, bodies=charged.bodies + (new_body("async"),))
            for inner, end, rest, _ in self.blocks(begun, block, "async", left - 1):
                captured = end.bodies[outside].captured
                for boxed in self.boxes():
                    closed = end._replace(bodies=end.bodies[:outside])
                    future = len(closed.values)
                    yield (("async", future, boxed, inner), self.declare(closed, block, "future", boxed, loans=captured),
                           rest, False)
        if s.frames < self.bounds.frames:
            begun = charged._replace(frames=s.frames + 1)
            for inner, end, rest, panics in self.blocks(begun, block, "frame", left - 1):
                yield ("frame", inner), end, rest, panics
        for kind in ("inside", "catch"):
            offered = self.api.inside and not s.down if kind == "inside" else self.api.throws
            if not offered or not self.in_main(s):
                continue
            begun = charged._replace(bodies=charged.bodies + (new_body(kind),))
            for inner, end, rest, panics in self.blocks(begun, block, kind, left - 1):
                yield (kind, inner), end._replace(bodies=end.bodies[:outside]), rest, panics and kind == "inside"

    def may_enter(self, s):
        if not self.api.scope_enter or s.down or len(self.scopes(s)) == self.bounds.scopes:
            return False
        if not self.api.child_scopes and self.nearest_task(s) is not None:
            return False
        for b in reversed(s.bodies):
            if b.kind in ("async", "task"):
                return b.kind == "task"
        return True

    @staticmethod
    def stepped(s, cost):
        if cost == 0 or all(b.kind != "task" for b in s.bodies):
            return s
        return s._replace(bodies=tuple(b._replace(steps=b.steps + cost) if b.kind == "task" else b for b in s.bodies))

    def blocks(self, s, parent, kind, left):
        """Every kept content of a block: (statements, state when it closes, ops left, whether it ends by a panic)."""
        self.next_block += 1
        if kind == "enter":
            s = self.declare(s, self.next_block, "scope", False, lent=True)
        yield from self.grow((), s, self.next_block, kind, parent, left, False)

    def grow(self, so_far, s, block, kind, parent, left, dead):
        if keeps_end(so_far, s, block, kind, dead):
            end = s._replace(decls=tuple(d for d in s.decls if d[1] != block),
                             loans=frozenset(l for l in s.loans if not self.declared_in(s, l[0], block)))
            yield so_far, end, left, dead
        if dead:
            return
        for statement, after, rest, panics in self.statements(s, block, kind, parent, left):
            if keeps_next(so_far, statement, s, block, kind, self.api):
                if statement[0] == "cell" and so_far and so_far[-1][0] == "cell":
                    after = after._replace(twins=after.twins | {statement[1]})
                yield from self.grow(so_far + (statement,), after, block, kind, parent, rest, panics)

    @staticmethod
    def declared_in(s, v, block):
        return any(d == (("v", v), block) for d in s.decls)

    def programs(self, n):
        root = State((new_body("root"),), (), EMPTY, (), (), (), EMPTY, EMPTY, False, 0, 0, 0)
        for program, _, left, _ in self.blocks(root, None, "root", n):
            if left == 0:
                yield program


# ---- the cuts (docs/exhaustive.md, numbers as there) --------------------------------------------------------------------


def walk(statements):
    for st in statements:
        yield st
        if isinstance(st[-1], tuple) and st[0] in OPENING:
            yield from walk(st[-1])


def cost_of(statements):
    return sum(1 for st in walk(statements) if st[0] != "cell")


def named_in_order(s, cells):
    """Cut 5."""
    seen = set(s.mentioned)
    for c in sorted(cells):
        if c in s.twins and c - 1 not in seen:
            return False
        seen.add(c)
    return True


def keeps_spawn(s, loans):
    """Cuts 2 and 5."""
    if any(not exclusive for _, exclusive in loans):
        return False
    return named_in_order(s, [c for c, _ in loans])


def keeps_task(loans, body, inner, panics):
    """Cuts 4 (second half) and 11."""
    if any(c not in body.used for c, _ in loans):
        return False
    kinds = {st[0] for st in inner}
    return not ("payload" in kinds and not panics) and not ("result" in kinds and panics)


def keeps_next(before, st, s, block, block_kind, api):
    """Whether `st` may follow its elder siblings. `s`: the state before it."""
    kind = st[0]
    body = s.bodies[-1]
    last = before[-1] if before else None
    last_kind = last[0] if last else None

    if last_kind == "cell" and kind not in DECLARING and kind not in DESTRUCTORS:
        return False  # 6
    if last_kind == "async" and kind not in DECLARING and not (kind in ("poll", "await") and st[1] == last[1]):
        return False  # 7
    if kind == "read":
        return False  # 1
    if kind == "write" and not (body.kind == "task" and Counter.lent_to(body, st[1], True)):
        return False  # 3
    if kind in DESTRUCTORS:
        first_of_task = last is None and block_kind == "task"
        in_order = last_kind in DESTRUCTORS and DESTRUCTORS.index(last_kind) < DESTRUCTORS.index(kind)
        if not first_of_task and last_kind != "cell" and not in_order:
            return False  # 9
        own = not Counter.lent_to(body, st[1], False)
        if own and (kind == "capture" or (kind == "result" and api.carrier != "none")):
            return False  # 10
        return named_in_order(s, [st[1]])  # 5
    if kind in ("settle", "run") and (not s.tasks or last_kind == "settle"):
        return False  # 19
    if kind == "throw_bomb" and body.kind != "task":
        return False  # 20
    if kind == "shutdown" and not s.tasks and not s.values:
        return False  # 21
    if kind in ("drop", "move", "move_out", "forget", "await"):
        value = s.values[st[1]]
        unpolled = value.kind == "future" and not value.started
        if unpolled and (kind != "await" or value.boxed):
            return False  # 8
        if kind == "drop" and value.boxed and not value.moved:
            return False  # 16
        if kind == "move" and value.boxed:
            return False  # 16
        if kind == "forget":
            if st[2] == "cycle":
                return False  # 17
            if value.boxed and last_kind == "scope" and last[1] != st[1]:
                return False  # 18
            if value.boxed and last_kind in ("spawn", "reserve") and st[1] not in (last[1], last[4]):
                return False  # 18
    return True


def keeps_end(statements, s, block, block_kind, dead):
    """Whether a block with this content is kept; `s`: the state before its declarations go."""
    last = statements[-1] if statements else None
    if last is not None and last[0] == "cell":
        return False  # 6
    if last is not None and last[0] == "drop" and last[-1] == "newest":
        return False  # 15
    for thing, where in s.decls:
        if where != block:
            continue
        if thing[0] == "c":
            if thing[1] not in s.mentioned:
                return False  # 4
        else:
            value = s.values[thing[1]]
            if value.kind == "future" and not value.started:
                return False  # 8
            if value.boxed and not value.moved:
                return False  # 16
    if block_kind == "frame":
        return any(st[0] in DECLARING and st[0] != "frame" for st in walk(statements))  # 12
    if block_kind == "catch":
        return any(st[0] in PANICKING for st in walk(statements))  # 13
    if block_kind == "inside":
        return len(s.tasks) > 0  # 14
    if block_kind == "async":
        return cost_of(statements) >= 1  # 14
    if block_kind == "root":
        return not (len(statements) == 1 and statements[0][0] == "frame")  # 12
    return True


# ---- the program ----------------------------------------------------------------------------------------------------


def text(statements, indent=""):
    lines = []
    for st in statements:
        inner = st[0] in OPENING
        lines.append(indent + " ".join(str(part) for part in (st[:-1] if inner else st)))
        if inner:
            lines += text(st[-1], indent + "  ")
    return lines


def main():
    args = [a for a in sys.argv[1:] if a != "--list"]
    with open(args[0], encoding="utf-8") as file:
        job = json.load(file)
    counter = Counter(job["offers"], job["bounds"])
    if "--list" in sys.argv:
        for program in counter.programs(job["longest"]):
            print("\n".join(text(program) + ["--"]))
        return
    for n in range(job["longest"] + 1):
        print(n, sum(1 for _ in counter.programs(n)))


if __name__ == "__main__":
    main()

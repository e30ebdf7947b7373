/*
 * The ScopeCheck door: one C table through which every scoped-spawn implementation is driven.
 *
 * A plugin describes one implementation. The harness supplies opaque children and the storage of
 * every scope, handle and join object, and calls the table below as a generated client would call
 * the real API. The implementation reports nothing about itself: whatever is judged, the harness saw.
 *
 *   client (harness) --ops--> plugin table --native calls--> runtime under test
 *          ^                                                      |
 *          +------- host table: step / drop a child <-------------+
 *
 * An absent function (null pointer) means that the API has no such operation. Flags say only what
 * pointers cannot. An adapter adds no joins, locks, reference counts or keep-alives of its own.
 *
 * Bracket tags over a function name the thread and state in which it may be called:
 *   [client]   by the client thread, outside of any child
 *   [inside]   also from within a child's step when SCOPECHECK_OP_* is set in `reentrant`
 *   [any]      by any thread, at any time
 *   [blocks]   may block or drive children before it returns when its bit is set in `may_block`
 *
 * C11. Includes nothing but <stddef.h> and <stdint.h>. Nothing unwinds across this boundary.
 */
#ifndef SCOPECHECK_PLUGIN_H
#define SCOPECHECK_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Requirement 13: versions. Inside a major, structs only grow at the end; readers test struct_size. */
#define SCOPECHECK_ABI_MAJOR 0
#define SCOPECHECK_ABI_MINOR 1

/* ---- status codes (requirement 9: panics cross the door as codes, never by unwinding) ---------- */
typedef int32_t scopecheck_status;
#define SCOPECHECK_OK        0    /* done; for polls and steps: ready                                  */
#define SCOPECHECK_PENDING   1    /* not done yet; the waker given will be woken                        */
#define SCOPECHECK_THROWN    2    /* unwind now (from the host) / it unwound (from the plugin)          */
#define SCOPECHECK_CLOSED    3    /* refused: the scope or runtime takes no more children; child dropped */
#define SCOPECHECK_E_STATE   (-1) /* the call makes no sense in this state; nothing was changed         */
#define SCOPECHECK_E_NOMEM   (-2)
#define SCOPECHECK_E_RUNTIME (-3) /* the runtime failed; see last_error                              */

/* ---- opaque things that belong to the harness (requirement 1) ----------------------------------- */
typedef struct scopecheck_child scopecheck_child;   /* a task body with its captures                 */
typedef struct scopecheck_object scopecheck_object; /* a result or a panic payload, with a destructor */

/* ---- wakers (requirement 10): cloned, kept, fired late, from any thread ---------------------------
 * A waker is a pair (vtable, data) owned by whoever holds it; `clone` makes a second owner.
 * A waker handed to a poll or step is borrowed for that call: clone it to keep it.                   */
typedef struct scopecheck_waker scopecheck_waker;
typedef struct scopecheck_waker_vtable {
  scopecheck_waker (*clone)(const void* data); /* [any] */
  void (*wake)(const void* data);              /* [any] wake without giving the waker up */
  void (*drop)(const void* data);              /* [any] */
} scopecheck_waker_vtable;
struct scopecheck_waker {
  const scopecheck_waker_vtable* vtable;
  const void* data;
};

/* ---- the harness's side ----------------------------------------------------------------------- */
typedef struct scopecheck_host {
  uint32_t struct_size;
  uint16_t abi_major, abi_minor;

  /* Runs a suspending child until it suspends. OK: finished, *out = its result. PENDING: suspended.
   * THROWN: *out = a payload; raise it natively inside the task. Steps of one child never overlap;
   * none after OK, THROWN or child_drop. [any] */
  scopecheck_status (*child_step)(scopecheck_child* child, const scopecheck_waker* waker,
                                  scopecheck_object** out);
  /* Runs a blocking child on the calling thread to its end. OK or THROWN as above. [any] */
  scopecheck_status (*child_block)(scopecheck_child* child, scopecheck_object** out);
  /* Destroys the child and what it captured: exactly once, from the destructor of whatever the native
   * task captured, never tidied up earlier or later. [any] */
  void (*child_drop)(scopecheck_child* child);
  /* Destroys a result or payload, exactly once. THROWN: its destructor panics; do so natively. [any] */
  scopecheck_status (*object_drop)(scopecheck_object* object);
  /* Called by an operation that must wait while nothing in the runtime is runnable (a blocking
   * destructor, join or block_on of a runtime without threads). Returns when something may have been
   * woken. When nothing ever can be, the harness records a proved hang and does not return. [blocks] */
  void (*idle)(void);
  /* A named point between two lines of an implementation where another thread may be scheduled. Here the
   * thread waits, as long as the schedule says: not while it holds what another thread may want, such as a
   * mutex. Does nothing in threads that have not run a child. [any] */
  void (*yield_point)(const char* name);
} scopecheck_host;

/* ---- vocabulary of the description -------------------------------------------------------------- */

/* Requirement 4: the shape of the API. */
#define SCOPECHECK_SHAPE_GUARD         1u /* a scope object: init, spawn, destroy                      */
#define SCOPECHECK_SHAPE_HANDLE        2u /* no scope: spawn yields the guard                          */
#define SCOPECHECK_SHAPE_CLOSURE       3u /* scope_enter runs the client's body inside the call        */
#define SCOPECHECK_SHAPE_AWAITABLE     4u /* completion is an object that the client polls             */
#define SCOPECHECK_SHAPE_PARENT_DRIVEN 5u /* children progress only inside scope_drive                 */
#define SCOPECHECK_SHAPE_PROCESS_WIDE  6u /* detached: nothing is borrowed, nothing bounds the child   */

/* Requirement 11: which value carries the loans of a child. */
#define SCOPECHECK_CARRIER_NONE   0u /* children own what they use ('static) */
#define SCOPECHECK_CARRIER_SCOPE  1u
#define SCOPECHECK_CARRIER_HANDLE 2u
/* Never a join object: a loan begins with the spawn, and a join object comes later. An API whose awaited
 * object carries the loans either makes it with the spawn (it is the handle) or awaits the scope itself;
 * where a join object borrows its scope, the scope carries them for at least as long. */

/* Requirement 11: when a value may be moved by a client (and so forgotten out of a frame). */
#define SCOPECHECK_MOVE_ALWAYS        0u
#define SCOPECHECK_MOVE_UNTIL_STARTED 1u /* handles: until start; scopes: until the first spawn */
#define SCOPECHECK_MOVE_NEVER         2u

#define SCOPECHECK_CHILD_SUSPENDS 0u
#define SCOPECHECK_CHILD_BLOCKS   1u

/* Requirement 11: who makes children progress (bit set). */
#define SCOPECHECK_PROGRESS_THREADS (1u << 0) /* the runtime's own threads  */
#define SCOPECHECK_PROGRESS_RUN     (1u << 1) /* rt_run                     */
#define SCOPECHECK_PROGRESS_DRIVE   (1u << 2) /* scope_drive                */
#define SCOPECHECK_PROGRESS_POLL    (1u << 3) /* polling the handle         */
#define SCOPECHECK_PROGRESS_JOIN    (1u << 4) /* a blocking join helps      */

/* Operations of the table, as bits: for may_block, reentrant and unsafe_ops. */
#define SCOPECHECK_OP_SPAWN          (1ull << 0)
#define SCOPECHECK_OP_SCOPE_INIT     (1ull << 1)
#define SCOPECHECK_OP_SCOPE_DESTROY  (1ull << 2)
#define SCOPECHECK_OP_SCOPE_DRIVE    (1ull << 3)
#define SCOPECHECK_OP_SCOPE_JOIN     (1ull << 4)
#define SCOPECHECK_OP_SCOPE_CANCEL   (1ull << 5)
#define SCOPECHECK_OP_SCOPE_CLOSE    (1ull << 6)
#define SCOPECHECK_OP_SCOPE_ENTER    (1ull << 7)
#define SCOPECHECK_OP_HANDLE_DESTROY (1ull << 8)
#define SCOPECHECK_OP_HANDLE_POLL    (1ull << 9)
#define SCOPECHECK_OP_HANDLE_JOIN    (1ull << 10)
#define SCOPECHECK_OP_HANDLE_CANCEL  (1ull << 11)
#define SCOPECHECK_OP_JOIN_POLL      (1ull << 12)
#define SCOPECHECK_OP_JOIN_DESTROY   (1ull << 13)
#define SCOPECHECK_OP_RUN            (1ull << 14)
#define SCOPECHECK_OP_BLOCK_ON       (1ull << 15)
#define SCOPECHECK_OP_SHUTDOWN       (1ull << 16)
#define SCOPECHECK_OP_STACK          (1ull << 17) /* all of stack_*; in unsafe_ops only */

/* Requirement 12: what safe clients may do beyond calling the table, each with evidence below. */
#define SCOPECHECK_CLIENT_FORGET          (1ull << 0) /* scopes, handles and joins can be forgotten         */
#define SCOPECHECK_CLIENT_BOX             (1ull << 1) /* they can live on the heap                          */
#define SCOPECHECK_CLIENT_MOVE            (1ull << 2) /* they can be moved (subject to the move_* fields)   */
#define SCOPECHECK_CLIENT_SPAWN_NESTED    (1ull << 3) /* a child can spawn into its own scope / its runtime */
#define SCOPECHECK_CLIENT_INSIDE          (1ull << 4) /* the client can run as a task of the runtime        */
#define SCOPECHECK_CLIENT_ASYNC           (1ull << 5) /* the values can live inside an async block          */
#define SCOPECHECK_CLIENT_KEEP_WAKER      (1ull << 6) /* children can keep clones of their wakers           */
#define SCOPECHECK_CLIENT_THROW           (1ull << 7) /* bodies and children can panic                      */
#define SCOPECHECK_CLIENT_SHUTDOWN        (1ull << 8) /* the runtime can end while values are alive         */
#define SCOPECHECK_CLIENT_FORGET_IN_PLACE (1ull << 9) /* C++ only: storage reused without a destructor   */
#define SCOPECHECK_CLIENT_OTHER_THREAD    (1ull << 10) /* spawn and close from a second client thread        */
/* The upper half is must-understand: a harness that meets an unknown bit there refuses to load. */
#define SCOPECHECK_CLIENT_MUST_UNDERSTAND 0xffffffff00000000ull

/* Promises (what a contract finding is judged against). */
#define SCOPECHECK_PROMISE_JOIN_WAITS    (1u << 0) /* a join that returned OK: the child is done       */
#define SCOPECHECK_PROMISE_JOIN_RETHROWS (1u << 1) /* a join of a child that panicked reports THROWN   */
#define SCOPECHECK_PROMISE_WAKES         (1u << 2) /* a woken child is stepped while someone drives    */
#define SCOPECHECK_PROMISE_INSTRUMENTED  (1u << 3) /* built with the harness's sanitizer               */
#define SCOPECHECK_PROMISE_YIELDS        (1u << 4) /* it calls yield_point: schedules can stop it there */

/* What destroying the carrier does to a child that is outstanding. */
#define SCOPECHECK_DESTROY_CANCELS       1u
#define SCOPECHECK_DESTROY_BLOCKS        2u
#define SCOPECHECK_DESTROY_DETACHES      3u
#define SCOPECHECK_DESTROY_CANCELS_LATER 4u
#define SCOPECHECK_DESTROY_FAIL_STOP     5u
#define SCOPECHECK_DESTROY_UNDEFINED     6u

/* Requirement 14: documented preconditions, from a closed list. A join begins when it blocks, or when its
 * object is first polled; it is done when it returned, threw, or reported ready. A client that breaks one of
 * the first three ends its run there, under discipline DOCUMENTED: nothing after it is judged. */
#define SCOPECHECK_PRE_JOIN_BEFORE_DESTROY \
  1u /* a scope that took a child is destroyed after a join is done */
#define SCOPECHECK_PRE_JOIN_ONCE              2u /* of one scope one join begins                              */
#define SCOPECHECK_PRE_NO_SPAWN_AFTER_JOIN    3u /* once a join of it has begun, it is given no child */
#define SCOPECHECK_PRE_RUNTIME_OUTLIVES_SCOPE 4u
#define SCOPECHECK_PRE_WORKER_ONLY            5u /* used only inside the runtime */
#define SCOPECHECK_PRE_NO_FORGET              6u

#define SCOPECHECK_DISCIPLINE_SAFE       0u
#define SCOPECHECK_DISCIPLINE_DOCUMENTED 1u
#define SCOPECHECK_DISCIPLINE_NO_LEAK    2u

#define SCOPECHECK_EXPECT_NOT_REFUTED 0u
#define SCOPECHECK_EXPECT_UNSOUND     1u

/* One claim about what a safe client may do, with where that is said (a URL or a snippet). */
typedef struct scopecheck_evidence {
  uint64_t client_op; /* one SCOPECHECK_CLIENT_* bit */
  const char* source;
} scopecheck_evidence;

typedef struct scopecheck_precondition {
  uint32_t kind; /* one SCOPECHECK_PRE_* */
  uint32_t reserved;
  const char* source;
} scopecheck_precondition;

/* Requirement 7: one configuration of the runtime. */
typedef struct scopecheck_flavour {
  const char* name; /* "current-thread", "4-workers", ... */
  const char* summary;
  uint32_t progress; /* who makes children progress in this one; 0: as the plugin says */
  uint32_t reserved;
  uint64_t may_block; /* what may block in this one, beside what the plugin says */
} scopecheck_flavour;

/* The verdict that the author of a design expects; where none is given, NOT_REFUTED is expected. */
typedef struct scopecheck_expectation {
  const char* flavour; /* null: every flavour */
  uint32_t discipline;
  uint32_t verdict;
  const char* reason;
} scopecheck_expectation;

typedef scopecheck_status (*scopecheck_body)(void* data, void* scope_token);

/* ---- the plugin's side -------------------------------------------------------------------------- */
typedef struct scopecheck_plugin {
  uint32_t struct_size;
  uint16_t abi_major, abi_minor;

  const char* name;    /* snake_case, unique                                                        */
  const char* summary; /* one line                                                                  */
  const char* version; /* of the library under test                                                 */
  const char* build;   /* compiler, NDEBUG or not, sanitizer (requirement 7)                        */

  const scopecheck_flavour* flavours;
  const scopecheck_evidence* evidence;
  const scopecheck_precondition* preconditions;
  const scopecheck_expectation* expectations;
  uint32_t flavour_count, evidence_count, precondition_count, expectation_count;

  uint32_t shape;                              /* SCOPECHECK_SHAPE_*   */
  uint32_t carrier;                            /* SCOPECHECK_CARRIER_* */
  uint32_t child_kind;                         /* SCOPECHECK_CHILD_*   */
  uint32_t progress;                           /* SCOPECHECK_PROGRESS_* bits */
  uint32_t promises;                           /* SCOPECHECK_PROMISE_* bits  */
  uint32_t on_destroy;                         /* SCOPECHECK_DESTROY_* of the carrier */
  uint32_t move_scope, move_handle, move_join; /* SCOPECHECK_MOVE_* */
  /* 1: the child lives inside the handle's storage (requirement 2), and dies with it. */
  uint32_t handle_embeds_child;
  /* 1: the type of a handle names the lifetime of its scope, as `Handle<'scope>` from `spawn(&'scope self)`:
   * no client that compiles ends or moves the scope before the handle. */
  uint32_t handle_borrows_scope;
  /* 1: the API forces an `await` on the spot: spawn exists only with its await attached. */
  uint32_t spawn_must_be_awaited;
  /* 1: spawn yields no handle, although reserve does. */
  uint32_t spawn_without_handle;
  uint32_t hidden; /* 1: a canary: not listed, checked only when named */

  uint64_t client_ops; /* SCOPECHECK_CLIENT_* bits: what SAFE clients can do */
  uint64_t may_block;  /* SCOPECHECK_OP_* bits: these may drive children or wait before they return */
  uint64_t reentrant;  /* SCOPECHECK_OP_* bits: these may be called from within a child's step       */
  uint64_t unsafe_ops; /* SCOPECHECK_OP_* bits that the API declares unsafe: not offered to safe clients */

  /* Storage that the harness supplies (requirement 2). 0: there is no such object. */
  uint32_t scope_size, scope_align, handle_size, handle_align, join_size, join_align;

  /* The runtime. rt_new: one flavour, from an index into `flavours`. [client] */
  scopecheck_status (*rt_new)(const scopecheck_host* host, uint32_t flavour, void** rt);
  void (*rt_free)(void* rt);
  /* Lets the runtime make at most `budget` task polls; *used = how many it made (0: idle). [client] */
  scopecheck_status (*rt_run)(void* rt, uint64_t budget, uint64_t* used);
  /* Polls `root` as the runtime's root task until it finished, running other tasks meanwhile.
   * OK or THROWN (*out as child_step). Calls host->idle when nothing is runnable. [client][blocks] */
  scopecheck_status (*block_on)(void* rt, scopecheck_child* root, scopecheck_object** out);
  /* Ends the runtime as the API's own shutdown does; rt_free still follows. [client] */
  scopecheck_status (*rt_shutdown)(void* rt);

  /* Scopes. `scope_init` constructs one in `storage`. `unwinding` != 0: run the destructor inside a
   * real native unwind. `to` of a move is raw storage; `from` becomes dead storage. */
  scopecheck_status (*scope_init)(void* rt, void* storage);           /* [client][inside] */
  scopecheck_status (*scope_destroy)(void* scope, int32_t unwinding); /* [client][inside][blocks] */
  scopecheck_status (*scope_move)(void* from, void* to);              /* [client][inside] */
  scopecheck_status (*scope_drive)(void* scope,
                                   const scopecheck_waker* w); /* [client][inside] parent-driven */
  scopecheck_status (*scope_join)(void* scope);                /* [client][blocks] */
  scopecheck_status (*scope_cancel)(void* scope);              /* [client][inside] */
  scopecheck_status (*scope_close)(void* scope);               /* [client][inside] */
  /* Closure shape, in place of init, destroy and move: makes a scope (in `storage`, if it likes), runs
   * body(data, token) once, on the calling thread, and returns when the children have ended. `token` is what
   * the scope is called in spawn, cancel, ... . Body THROWN: unwind natively; so unwinding the call reports
   * THROWN, too, as it does for a child's panic that it passes on. */
  scopecheck_status (*scope_enter)(void* rt, void* storage, scopecheck_body body, void* data); /* [blocks] */

  /* Spawns a child. `scope`: the scope or its token, null where the API has none. `handle`: storage
   * for the handle, null where the API has none. The plugin owns the child from the call on, whatever
   * the status; on anything but OK it has dropped the child and made no handle. */
  scopecheck_status (*spawn)(void* rt, void* scope, scopecheck_child* child,
                             void* handle); /* [client][inside] */
  /* Requirement 6: the same in two steps, where the API has two. A reserved child is in its handle, or where
   * the handle says; it does not run before `start`, which is called at most once and leaves the handle to be
   * destroyed. Destroying the handle before `start` drops the child. CLOSED by `start`: refused, child
   * dropped. Both have the bits of SCOPECHECK_OP_SPAWN. [client][inside] */
  scopecheck_status (*reserve)(void* rt, void* scope, scopecheck_child* child, void* handle);
  scopecheck_status (*start)(void* handle);

  /* Handles. After OK or THROWN a handle is not polled or joined again. *out: the child's result or
   * payload, or null; it belongs to the client from then on. */
  scopecheck_status (*handle_destroy)(void* handle, int32_t unwinding); /* [client][inside][blocks] */
  scopecheck_status (*handle_move)(void* from, void* to);
  scopecheck_status (*handle_poll)(void* handle, const scopecheck_waker* w, scopecheck_object** out);
  scopecheck_status (*handle_join)(void* handle, scopecheck_object** out); /* [client][blocks] consumes */
  scopecheck_status (*handle_cancel)(void* handle);
  scopecheck_status (*handle_detach)(void* handle); /* consumes */

  /* Awaitable joins (requirement 5): objects of their own. Dropping one drops the waiting, no more. */
  scopecheck_status (*join_begin)(void* scope, void* storage);
  scopecheck_status (*join_poll)(void* join, const scopecheck_waker* w);
  scopecheck_status (*join_destroy)(void* join, int32_t unwinding);
  scopecheck_status (*join_move)(void* from, void* to);

  /* Text of the last failure on this thread; null or "" when there is none. [any] */
  const char* (*last_error)(void);

  /* Suspendable stacks: an API whose coroutines are stackful. With these, and client op ASYNC, every `async`
   * block of a client runs on a stack of the plugin's, so that it can be suspended anywhere, also inside of
   * scope_enter; without, async blocks are state machines of the harness. All four or none. Children suspend
   * (CHILD_SUSPENDS), and each of these may be called on a stack as well: stacks nest.
   *
   *   harness, whoever polls             the plugin's stack
   *   stack_init, stack_resume ---------> body(data, stack) ... client ops, scope_enter, ...
   *        PENDING <--------------------- stack_suspend(stack)
   *   stack_resume ---------------------> ... it returns OK
   *        OK, or THROWN <--------------- body returned
   *
   * `stack_size`, `stack_align`: of the stack *object*, whose storage the harness supplies when the block is
   * first polled; what it is a stack of is the plugin's memory. The object never moves. A block that is
   * forgotten is never mentioned again, and may stand where it was suspended for ever: what its frames hold
   * stays where it is, and that memory is not used for anything else before the next rt_new, nor is that of a
   * stack whose body returned.
   * The plugin's switch keeps apart what belongs to a stack: registers, exceptions in flight
   * (__cxa_get_globals), what sanitizers know of stacks. A run that can never end (idle) is left from
   * wherever it stands; the next rt_new finds its stacks as they were then. */
  uint32_t stack_size, stack_align;
  /* Makes one, and runs nothing on it. [client][inside] */
  scopecheck_status (*stack_init)(void* rt, void* storage, scopecheck_body body, void* data);
  /* Runs the body until it suspends (PENDING) or has returned (OK; THROWN as it says, after a native unwind).
   * Not called again then. [client][inside] */
  scopecheck_status (*stack_resume)(void* stack);
  /* Called by the body, on its stack: returns when it is resumed. THROWN: it is being destroyed, unwind. */
  scopecheck_status (*stack_suspend)(void* stack);
  /* Destroys it. Suspended: the body is resumed and told to unwind, so that what stands on the stack runs its
   * destructors. Whoever cannot do that ends it all the same (OK: its frames are gone), or keeps it for ever
   * (CLOSED: nothing runs, its frames stay). [client][inside] */
  scopecheck_status (*stack_destroy)(void* stack, int32_t unwinding);
} scopecheck_plugin;

/* The one exported symbol of a plugin in a shared object. Null: this major is not spoken. */
#define SCOPECHECK_PLUGIN_SYMBOL "scopecheck_plugin_query"
typedef const scopecheck_plugin* (*scopecheck_plugin_query_fn)(uint32_t host_abi_major);

#ifdef __cplusplus
}
#endif
#endif /* SCOPECHECK_PLUGIN_H */

#include "harness/interpreter/guarded.hpp"

#include "harness/interpreter/state.hpp"
#include "harness/interpreter/tsan.hpp"

namespace scopecheck::interpreter {
namespace {

template <class M>
struct MemberOf;
template <class C, class T>
struct MemberOf<T C::*> {
  using type = T;
};

template <auto Member, class Name, class F = typename MemberOf<decltype(Member)>::type>
struct Guard;
template <auto Member, class Name, class R, class... A>
struct Guard<Member, Name, R (*)(A...)> {
  static R call(A... arguments) {
    const auto function = current_state()->original.*Member;
    try {
      const ShownToTsan shown;
      return function(arguments...);
    } catch (...) {
      current_state()->error = Name::text();
    }
    current_state()->abandon(Outcome::error);
  }
};

}  // namespace

scopecheck_plugin guarded(const scopecheck_plugin& plugin, std::uint32_t flavour) {
  scopecheck_plugin p = plugin;
  p.may_block |= plugin.flavours[flavour].may_block;
#define SCOPECHECK_GUARD(member)                                            \
  if (p.member != nullptr) {                                                \
    struct Name {                                                           \
      static const char* text() { return #member " let an exception out"; } \
    };                                                                      \
    p.member = &Guard<&scopecheck_plugin::member, Name>::call;              \
  }
  SCOPECHECK_GUARD(rt_new)
  SCOPECHECK_GUARD(rt_free)
  SCOPECHECK_GUARD(rt_run)
  SCOPECHECK_GUARD(block_on)
  SCOPECHECK_GUARD(rt_shutdown)
  SCOPECHECK_GUARD(scope_init)
  SCOPECHECK_GUARD(scope_destroy)
  SCOPECHECK_GUARD(scope_move)
  SCOPECHECK_GUARD(scope_drive)
  SCOPECHECK_GUARD(scope_join)
  SCOPECHECK_GUARD(scope_cancel)
  SCOPECHECK_GUARD(scope_close)
  SCOPECHECK_GUARD(scope_enter)
  SCOPECHECK_GUARD(spawn)
  SCOPECHECK_GUARD(reserve)
  SCOPECHECK_GUARD(start)
  SCOPECHECK_GUARD(handle_destroy)
  SCOPECHECK_GUARD(handle_move)
  SCOPECHECK_GUARD(handle_poll)
  SCOPECHECK_GUARD(handle_join)
  SCOPECHECK_GUARD(handle_cancel)
  SCOPECHECK_GUARD(handle_detach)
  SCOPECHECK_GUARD(join_begin)
  SCOPECHECK_GUARD(join_poll)
  SCOPECHECK_GUARD(join_destroy)
  SCOPECHECK_GUARD(join_move)
  SCOPECHECK_GUARD(stack_init)
  SCOPECHECK_GUARD(stack_resume)
  SCOPECHECK_GUARD(stack_suspend)
  SCOPECHECK_GUARD(stack_destroy)
#undef SCOPECHECK_GUARD
  return p;
}

}  // namespace scopecheck::interpreter

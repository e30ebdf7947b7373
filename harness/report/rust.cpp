#include "harness/report/rust.hpp"

#include "harness/report/rust_plan.hpp"
#include "harness/report/rust_reference.hpp"
#include "harness/scenario/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace scopecheck::report {

using scenario::Carrier;
using scenario::LeakVector;
using scenario::Mobility;
using scenario::none;
using scenario::Op;
using scenario::OpKind;
using scenario::ValueKind;

namespace {

class RustWriter {
 public:
  RustWriter(const scenario::Scenario& scenario, const scenario::Offers& offers)
      : ops_(scenario.ops), offers_(offers), names_(scenario), plan_(plan(scenario, offers)) {
    cell_home_.fill(nowhere);
    for (std::size_t i = 0; i < ops_.size(); ++i)
      if (ops_[i].kind == OpKind::cell) cell_home_[ops_[i].subject] = plan_.around[i].body;
    tasks_.resize(ops_.size());
    only_read_.resize(ops_.size());
  }

  std::string write(std::string_view name) {
    line(fmt::format("pub fn {}() {{", name));
    indent_ = 1;
    for (at_ = 0; at_ < ops_.size(); ++at_) statement();
    indent_ = 0;
    line("}");
    return std::move(out_);
  }

 private:
  // ---- words
  void line(std::string_view text) { out_ += fmt::format("{:{}}{}\n", "", 4 * indent_, text); }

  [[nodiscard]] Mobility mobility(const ValuePlan& value) const {
    switch (value.kind) {
      case ValueKind::scope:
        return offers_.scope_mobility;
      case ValueKind::handle:
        return offers_.handle_mobility;
      case ValueKind::join:
        return offers_.join_mobility;
      case ValueKind::async:
        break;
    }
    return Mobility::until_started;
  }

  std::string place_name(std::uint8_t v, std::size_t place) const {
    return place == 0 ? names_.value(v) : fmt::format("{}_{}", names_.value(v), place);
  }
  std::string name(std::uint8_t v) const { return place_name(v, places_[v]); }
  /// Pinned in a slot of its frame by now.
  bool pinned(std::uint8_t v) const { return slots_[v]; }

  /// The value as something that its body owns: in a body further in it is a reference, whatever is done to
  /// it.
  std::string owned(std::uint8_t v) const {
    if (plan_.values[v].lent) return "*" + name(v);
    if (plan_.values[v].home != body()) return fmt::format("*&mut {}", name(v));
    return pinned(v) && ops_[at_].kind != OpKind::drop ? fmt::format("take({})", name(v)) : name(v);
  }
  std::string pin_mut(std::uint8_t v) const {
    // Only a client that rustc refuses uses what is gone: so it would be written.
    if (plan_.values[v].first_start == nowhere && !plan_.values[v].boxed)
      return fmt::format("std::pin::pin!({})", name(v));
    return pinned(v) || plan_.values[v].boxed ? name(v) + ".as_mut()"
                                              : fmt::format("Pin::new(&mut {})", name(v));
  }
  std::size_t body() const { return plan_.around[at_].body; }

  /// The task that a body belongs to or is, on the way out to the home of the cell; `nowhere`: none.
  std::size_t task_between(std::size_t body, std::size_t home) const {
    while (body != home && body != nowhere) {
      if (scenario::makes_task(ops_[body].kind)) return body;
      body = plan_.around[body].body;
    }
    return nowhere;
  }
  std::string loan_name(std::uint8_t cell, std::size_t task) const {
    return fmt::format("{}_{}", names_.cell(cell), names_.task(ops_[task].subject));
  }
  /// The cell's memory, as seen from `body`: itself, through the loan of a task, or through what holds it.
  std::string place(std::uint8_t cell, std::size_t body) const {
    const std::size_t task = task_between(body, cell_home_[cell]);
    const std::size_t holder = task != nowhere ? task : cell_home_[cell];
    if (holder != nowhere)
      for (const Holder& held : tasks_[holder])
        if (held.cell == cell && held.filled)
          return task != nowhere ? fmt::format("*{}.0", held.name) : held.name + ".0";
    return task != nowhere ? "*" + loan_name(cell, task) : names_.cell(cell);
  }

  // ---- statements
  void statement() {
    const Op& op = ops_[at_];
    for (std::uint8_t v = 0; v < scenario::max_values; ++v)
      if (plan_.values[v].pinned_before == at_ && !slots_[v]) into_slot(v, name(v));
    switch (op.kind) {
      case OpKind::end:
        return end();
      case OpKind::cell:
        return line(fmt::format("let mut {} = Memory::new();", names_.cell(op.subject)));
      case OpKind::frame:
        declare_moved_out();
        return open("{", "}");
      case OpKind::catch_:
        return open("catch(|| {", "});");
      case OpKind::inside:
        return open("block_on(async {", "});");
      case OpKind::enter:
        return open(fmt::format("enter::<TestedApi>(|{}| {{", name(op.value)), "});");
      case OpKind::async:
        return begin_value(op.value, op.boxed, "Block::new(async {", "})");
      case OpKind::scope:
        begin_value(op.value, op.boxed, "Scope::new()", "");
        return declared(op.value);
      case OpKind::join_as:
        begin_value(op.value, op.boxed, name(op.subject) + ".join_as()", "");
        return declared(op.value);
      case OpKind::spawn:
      case OpKind::reserve:
        return spawn(op);
      case OpKind::start:
        return line(fmt::format("{}.start();", pin_mut(op.subject)));
      case OpKind::read:
        return line(fmt::format("read(&{});", place(op.subject, body())));
      case OpKind::write:
        return line(fmt::format("write(&mut {});", place(op.subject, body())));
      case OpKind::capture:
      case OpKind::result:
      case OpKind::payload:
        return hold(op);
      case OpKind::throw_:
      case OpKind::throw_bomb:
        return panic(op.kind == OpKind::throw_bomb);
      case OpKind::suspend:
        return line("suspend().await;");
      case OpKind::yield:
        return line("yield_now().await;");
      case OpKind::park:
        return line("park().await;");
      case OpKind::keep_waker:
        return line("keep_waker();");
      case OpKind::wake:
        return line(fmt::format("wake(\"{}\");", names_.task(op.subject)));
      case OpKind::next:  // whose thread goes on is not for a client to say
        return line(fmt::format("// next: {}", names_.task(op.subject)));
      case OpKind::step:
        return line(fmt::format("step(\"{}\");", names_.task(op.subject)));
      case OpKind::run:
        return line(fmt::format("run({});", op.subject));
      case OpKind::settle:
        return line("settle();");
      case OpKind::shutdown:
        return line("shutdown();");
      case OpKind::poll:
        return line(fmt::format("poll_once({});", pin_mut(op.subject)));
      case OpKind::await:
        return line(awaited(op.subject) + ".await;");
      case OpKind::join:
        return consuming_method("join");
      case OpKind::detach:
        return consuming_method("detach");
      case OpKind::close:
        return line(name(op.subject) + ".close();");
      case OpKind::cancel:
        return line(name(op.subject) + ".cancel();");
      case OpKind::drop:
        return line(fmt::format("drop({});", owned(op.subject)));
      case OpKind::forget: {
        const bool cycle = static_cast<LeakVector>(op.extra) == LeakVector::cycle;
        return line(
            fmt::format("{}({});", cycle ? "forget_in_cycle" : "std::mem::forget", owned(op.subject)));
      }
      case OpKind::move: {
        const std::string from = owned(op.subject);
        ++places_[op.subject];
        slots_[op.subject] = false;
        return put(op.subject, from);
      }
      case OpKind::move_out: {
        const std::string from = owned(op.subject);
        ++places_[op.subject];
        slots_[op.subject] = plan_.values[op.subject].pinned_when_placed == places_[op.subject];
        return line(slots_[op.subject] ? fmt::format("{0} = {0}_slot.pin({1});", name(op.subject), from)
                                       : fmt::format("{} = {};", name(op.subject), from));
      }
    }
  }

  std::string awaited(std::uint8_t v) const {
    if (!awaits_by_value(v)) return pin_mut(v);
    return plan_.values[v].home == body() ? owned(v) : fmt::format("({})", owned(v));
  }
  bool awaits_by_value(std::uint8_t v) const {
    const ValuePlan& value = plan_.values[v];
    return value.kind != ValueKind::scope &&
           (value.boxed || mobility(value) == Mobility::always || value.first_start >= at_);
  }

  void consuming_method(std::string_view method) {
    const std::uint8_t v = ops_[at_].subject;
    if (plan_.values[v].kind == ValueKind::scope) return line(fmt::format("{}.{}();", name(v), method));
    const bool by_reference = plan_.values[v].home != body();
    line(fmt::format("{}.{}{}();", by_reference ? fmt::format("({})", owned(v)) : owned(v), method,
                     plan_.values[v].boxed && plan_.values[v].kind == ValueKind::handle ? "_boxed" : ""));
  }

  // ---- values
  void into_slot(std::uint8_t v, const std::string& from) {
    line(fmt::format("let {}_slot = Slot::new();", name(v)));
    line(fmt::format("let mut {0} = {0}_slot.pin({1});", name(v), from));
    slots_[v] = true;
  }
  /// A new place with what `from` says.
  void put(std::uint8_t v, const std::string& from) {
    if (plan_.values[v].pinned_when_placed == places_[v]) return into_slot(v, from);
    line(fmt::format("let mut {} = {};", name(v), from));
  }
  /// Values that leave the frame which opens here need a place outside.
  void declare_moved_out() {
    for (const MovedOut& moved : plan_.moved_out_of[at_]) {
      const std::string outside = place_name(moved.value, moved.place);
      if (plan_.values[moved.value].pinned_when_placed == moved.place)
        line(fmt::format("let {}_slot = Slot::new();", outside));
      line(fmt::format("let mut {};", outside));
    }
  }

  void open(std::string_view text, std::string closing) {
    line(text);
    closers_.push_back(std::move(closing));
    ++indent_;
  }
  /// `let mut v = ...` around what stands between `opening` and `closing`.
  void begin_value(std::uint8_t v, bool boxed, std::string_view opening, std::string_view closing) {
    std::string text;
    std::string closer(closing);
    const bool slot = !boxed && plan_.values[v].pinned_when_placed == 0;
    if (slot) line(fmt::format("let {}_slot = Slot::new();", names_.value(v)));
    if (slot)
      text = fmt::format("let mut {0} = {0}_slot.pin(", names_.value(v));
    else
      text = fmt::format("let mut {} = {}", names_.value(v), boxed ? "Box::pin(" : "");
    if (slot || boxed) closer += ')';
    closer += ';';
    text += opening;
    if (closing.empty()) return line(text + closer);
    open(text, closer);
  }
  void declared(std::uint8_t v) { slots_[v] = plan_.values[v].pinned_when_placed == 0; }

  void end() {
    const std::string closer = closers_.back();
    closers_.pop_back();
    const std::size_t opener = opener_of(at_);
    if (scenario::makes_task(ops_[opener].kind)) return end_task(opener, closer);
    --indent_;
    line(closer);
    if (ops_[opener].kind == OpKind::async) declared(ops_[opener].value);
  }
  std::size_t opener_of(std::size_t end) const {
    std::size_t depth = 0;
    for (std::size_t i = end + 1; i-- > 0;) {
      if (ops_[i].kind == OpKind::end) ++depth;
      if (scenario::opens(ops_[i].kind) && --depth == 0) return i;
    }
    return 0;
  }

  // ---- tasks
  struct Holder {
    std::uint8_t cell;
    OpKind kind;
    std::string name;
    std::size_t op;
    bool filled;
  };

  void spawn(const Op& op) {
    std::string call;
    const char* carried = offers_.carrier == Carrier::scope    ? ""
                          : offers_.carrier == Carrier::handle ? "_lending"
                                                               : "_static";
    const std::string method = (op.kind == OpKind::reserve ? "reserve" : "spawn") + std::string(carried);
    const std::size_t lender = body();
    const bool own = op.scope != none && lender != nowhere && scenario::makes_task(ops_[lender].kind) &&
                     plan_.values[op.scope].home != lender && ops_[lender].scope == op.scope;
    const std::string scope = op.scope == none ? ""
                              : own            ? names_.value(op.scope) + "_token"
                                               : name(op.scope);
    if (op.scope != none)
      call = fmt::format("{}.{}({{", scope, method);
    else
      call = fmt::format("{}::<TestedApi, _>({{", method);
    if (op.value != none) {
      begin_value(op.value, op.boxed, call, "})");
    } else {
      open(call, op.extra != 0 ? "}).await;" : "});");
    }
    for (std::uint8_t cell = 0; cell < scenario::max_cells; ++cell) {
      const bool mut = (op.mut >> cell & 1) != 0;
      if (!mut && (op.shared >> cell & 1) == 0) continue;
      line(fmt::format("let {} = {}{};", loan_name(cell, at_), mut ? "&mut " : "&", place(cell, lender)));
    }
    // What it lent shared until the scope ends, the lender itself can only read from now on.
    if (own && offers_.carrier == Carrier::scope) only_read_[lender] |= op.shared;
    if (plan_.lends_token[at_])
      line(fmt::format("let {}_token = {}.token();", names_.value(op.scope), scope));
    line("async move {");
    ++indent_;
    for (std::uint8_t cell = 0; cell < scenario::max_cells; ++cell)  // also what the body does not mention
      if (((op.shared | op.mut) >> cell & 1) != 0) line(fmt::format("let {0} = {0};", loan_name(cell, at_)));
    find_holders();
    for (const Holder& holder : tasks_[at_]) line(fmt::format("let mut {};", holder.name));
    if (!tasks_[at_].empty()) {
      line("{");
      ++indent_;
    }
  }

  /// What destructors of this task will hold is declared outside of its body, so that it outlives the body's
  /// locals.
  void find_holders() {
    for (std::size_t i = at_ + 1; i < ops_.size(); ++i) {
      if (plan_.around[i].body != at_) continue;
      const OpKind kind = ops_[i].kind;
      if (kind != OpKind::capture && kind != OpKind::result && kind != OpKind::payload) continue;
      std::string holder = fmt::format("{}_{}", names_.cell(ops_[i].subject), scenario::info(kind).id);
      const auto again = std::count_if(tasks_[at_].begin(), tasks_[at_].end(), [&](const Holder& other) {
        return other.cell == ops_[i].subject && other.kind == kind;
      });
      if (again > 0) holder += std::to_string(again + 1);
      tasks_[at_].push_back({ops_[i].subject, kind, holder, i, false});
    }
  }

  void hold(const Op& op) {
    const std::size_t task = body();
    for (Holder& holder : tasks_[task]) {
      if (holder.op != at_) continue;
      const bool own = cell_home_[op.subject] == task;
      const bool mut = ((ops_[task].mut & ~only_read_[task]) >> op.subject & 1) != 0;
      const std::string what = (own ? "" : mut ? "&mut " : "&") + place(op.subject, task);
      line(fmt::format("{} = {}({});", holder.name, op.kind == OpKind::payload ? "Touch::payload" : "Touch",
                       what));
      holder.filled = true;
    }
  }

  void panic(bool bomb) {
    std::vector<std::string> payload;
    const std::size_t task = body();
    if (task != nowhere && scenario::makes_task(ops_[task].kind))
      for (const Holder& holder : tasks_[task])
        if (holder.kind == OpKind::payload && holder.filled) payload.push_back(holder.name);
    if (bomb) payload.emplace_back("Bomb");
    line(fmt::format("throw(({}));", fmt::join(payload, ", ")));
  }

  void end_task(std::size_t opener, const std::string& closer) {
    const std::vector<Holder>& holders = tasks_[opener];
    if (!holders.empty()) {
      --indent_;
      line("}");
      std::vector<std::string> result;
      for (const Holder& holder : holders)
        if (holder.kind == OpKind::result) result.push_back(holder.name);
      if (!result.empty()) line(fmt::format("return ({});", fmt::join(result, ", ")));
    }
    --indent_;
    line("}");
    --indent_;
    line(closer);
    if (ops_[opener].value != none) declared(ops_[opener].value);
  }

  const scenario::OpList& ops_;
  const scenario::Offers& offers_;
  scenario::Names names_;
  RustPlan plan_;
  std::array<std::size_t, scenario::max_cells> cell_home_{};
  std::array<std::size_t, scenario::max_values> places_{};
  std::array<bool, scenario::max_values> slots_{};
  std::vector<std::vector<Holder>> tasks_;    // by the op of the spawn
  std::vector<scenario::CellSet> only_read_;  // by the op of the spawn
  std::vector<std::string> closers_;
  std::string out_;
  std::size_t at_ = 0;
  int indent_ = 0;
};

std::string_view pin_of(Mobility mobility) {
  return mobility == Mobility::always ? "()" : "std::marker::PhantomPinned";
}

/// What a handle of this API borrows.
std::string kept(const scenario::Offers& offers) {
  const bool child = offers.carrier == Carrier::handle || (offers.borrows() && offers.handle_embeds_child);
  std::string keeps = !offers.handle                                                   ? "()"
                      : child                                                          ? "F"
                      : offers.borrows() && (offers.handle_poll || offers.handle_join) ? "F::Output"
                                                                                       : "()";
  return offers.handle_borrows_scope ? fmt::format("(&'s (), {})", keeps) : keeps;
}

}  // namespace

std::string_view no_rust_form(const scenario::Offers& offers) {
  return offers.stack ? "async blocks that run on suspendable stacks have no Rust form: an `async` block is "
                        "no place from where a call can be suspended"
                      : "";
}

std::string rust_prelude(const scenario::Offers& offers) {
  std::string text = "#![allow(unused, unreachable_code, clippy::all)]\n\n";
  text += "pub mod reference {\n";
  text += rust_reference;
  text += "}\nuse reference::*;\nuse std::future::Future;\nuse std::pin::Pin;\n\n";
  text += "/// What the types of the API under test say.\npub struct TestedApi;\nimpl Api for TestedApi {\n";
  text += fmt::format("    type ScopePin = {};\n    type HandlePin = {};\n    type JoinPin = {};\n",
                      pin_of(offers.scope_mobility), pin_of(offers.handle_mobility),
                      pin_of(offers.join_mobility));
  text += fmt::format("    type HandleKeeps<'s, F: Future> = {};\n}}\n", kept(offers));
  text += "pub type Scope<'a> = reference::Scope<'a, TestedApi>;\n\n";
  return text;
}

std::string to_rust_function(const scenario::Scenario& scenario, const scenario::Offers& offers,
                             std::string_view name) {
  return RustWriter(scenario, offers).write(name);
}

std::string to_rust(const scenario::Scenario& scenario, const scenario::Offers& offers) {
  return rust_prelude(offers) + to_rust_function(scenario, offers, "client");
}

}  // namespace scopecheck::report

#include "harness/report/rust_plan.hpp"

namespace scopecheck::report {

using scenario::Mobility;
using scenario::none;
using scenario::Op;
using scenario::OpKind;
using scenario::ValueKind;

namespace {

/// One value's life in the text: where it was put, and what happened to it.
struct Life {
  struct Place {
    std::size_t op;
    std::size_t block;  ///< opener of the block it lies in
  };
  std::vector<Place> places;
  std::vector<std::size_t> moves;  ///< ops that only a value which is not pinned admits
  bool gone = false;               ///< forgotten, detached, joined or awaited: nothing starts it any more
};

class Planner {
 public:
  Planner(const scenario::Scenario& scenario, const scenario::Offers& offers)
      : ops_(scenario.ops), offers_(offers) {
    out_.around.resize(ops_.size());
    out_.moved_out_of.resize(ops_.size());
    out_.lends_token.resize(ops_.size());
  }

  RustPlan run() {
    stack_.push_back({nowhere, nowhere});
    for (std::size_t i = 0; i < ops_.size(); ++i) take(i);
    for (std::uint8_t v = 0; v < scenario::max_values; ++v) pin(v);
    return std::move(out_);
  }

 private:
  void take(std::size_t i) {
    const Op& op = ops_[i];
    if (op.kind == OpKind::end) {
      const Op& opener = ops_[stack_.back().opener];
      const std::size_t opened_at = stack_.back().opener;
      stack_.pop_back();
      out_.around[i] = stack_.back();
      if (opener.kind == OpKind::async) declare(opener.value, ValueKind::async, opener.boxed, i);
      if (scenario::makes_task(opener.kind) && opener.value != none) {
        out_.values[opener.value].reserved = opener.kind == OpKind::reserve;
        declare(opener.value, ValueKind::handle, ops_[opened_at].boxed, i);
      }
      return;
    }
    out_.around[i] = stack_.back();
    switch (op.kind) {
      case OpKind::scope:
        declare(op.value, ValueKind::scope, op.boxed, i);
        break;
      case OpKind::join_as:
        declare(op.value, ValueKind::join, op.boxed, i);
        break;
      case OpKind::spawn:
      case OpKind::reserve:
        if (op.scope != none) {
          start(op.scope, i);
          const std::size_t body = stack_.back().body;
          if (body != nowhere && scenario::makes_task(ops_[body].kind) && ops_[body].scope == op.scope)
            out_.lends_token[body] = true;
        }
        break;
      case OpKind::start:
      case OpKind::poll:
        start(op.subject, i);
        break;
      case OpKind::await: {
        const ValuePlan& value = out_.values[op.subject];
        const bool consumed = value.kind != ValueKind::scope && value.first_start == nowhere;
        if (consumed)
          consume(op.subject, i);
        else
          start(op.subject, i);
        break;
      }
      case OpKind::move:
        lives_[op.subject].moves.push_back(i);
        lives_[op.subject].places.push_back({i, stack_.back().opener});
        break;
      case OpKind::move_out:
        lives_[op.subject].moves.push_back(i);
        if (stack_.back().opener == nowhere) break;
        out_.moved_out_of[stack_.back().opener].push_back({op.subject, lives_[op.subject].places.size()});
        lives_[op.subject].places.push_back({i, stack_[stack_.size() - 2].opener});
        break;
      case OpKind::join:
        if (out_.values[op.subject].kind == ValueKind::handle) consume(op.subject, i);
        break;
      case OpKind::forget:
      case OpKind::detach:
        consume(op.subject, i);
        break;
      default:
        break;
    }
    if (scenario::opens(op.kind)) stack_.push_back({i, op.kind == OpKind::frame ? stack_.back().body : i});
    if (op.kind == OpKind::enter) {
      out_.values[op.value].lent = true;
      declare(op.value, ValueKind::scope, false, i);
    }
  }

  void declare(std::uint8_t v, ValueKind kind, bool boxed, std::size_t at) {
    out_.values[v].kind = kind;
    out_.values[v].boxed = boxed;
    out_.values[v].home = stack_.back().body;
    if (mobility(out_.values[v]) == Mobility::never) out_.values[v].first_start = at;
    lives_[v].places.push_back({at, stack_.back().opener});
  }

  void start(std::uint8_t v, std::size_t at) {
    if (!lives_[v].gone && out_.values[v].first_start == nowhere) out_.values[v].first_start = at;
  }

  void consume(std::uint8_t v, std::size_t at) {
    lives_[v].moves.push_back(at);
    lives_[v].gone = true;
  }

  /// Of what the frame holds; what is spawned is started from the start.
  [[nodiscard]] Mobility mobility(const ValuePlan& value) const {
    switch (value.kind) {
      case ValueKind::scope:
        return offers_.scope_mobility;
      case ValueKind::handle:
        if (offers_.handle_mobility == Mobility::until_started && !value.reserved) return Mobility::never;
        return offers_.handle_mobility;
      case ValueKind::join:
        return offers_.join_mobility;
      case ValueKind::async:
        break;
    }
    return Mobility::until_started;
  }

  /// Pinned as early as possible: where it is put for the last time, if it never moves again. A client that
  /// moves it all the same pins it right before it must.
  void pin(std::uint8_t v) {
    ValuePlan& value = out_.values[v];
    const Life& life = lives_[v];
    if (life.places.empty() || value.boxed || value.lent || value.first_start == nowhere ||
        mobility(value) == Mobility::always)
      return;
    std::size_t last = 0;
    while (last + 1 < life.places.size() && life.places[last + 1].op < value.first_start) ++last;
    const bool moves_later = !life.moves.empty() && life.moves.back() > life.places[last].op;
    if (!moves_later || mobility(value) == Mobility::never)
      value.pinned_when_placed = last;
    else
      value.pinned_before = statement_in(life.places[last].block, value.first_start);
  }

  /// The statement directly in the block `block` that is or holds the op `at`.
  [[nodiscard]] std::size_t statement_in(std::size_t block, std::size_t at) const {
    std::size_t statement = at;
    while (out_.around[statement].opener != block && out_.around[statement].opener != nowhere)
      statement = out_.around[statement].opener;
    return out_.around[statement].opener == block ? statement : at;
  }

  const scenario::OpList& ops_;
  const scenario::Offers& offers_;
  RustPlan out_;
  std::vector<OpenBlock> stack_;
  std::array<Life, scenario::max_values> lives_;
};

}  // namespace

RustPlan plan(const scenario::Scenario& scenario, const scenario::Offers& offers) {
  return Planner(scenario, offers).run();
}

}  // namespace scopecheck::report

#include "harness/report/explain.hpp"

#include "harness/ledger/moments.hpp"
#include "harness/scenario/text.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <optional>

namespace scopecheck::report {

using ledger::Event;
using ledger::EventKind;
using scenario::none;
using scenario::OpKind;
using verdict::Finding;

namespace {

class Speaker {
 public:
  Speaker(const scenario::Scenario& scenario, std::span<const Event> events, const Finding& finding,
          const scenario::Wording& wording)
      : scenario_(scenario), wording_(wording), events_(events), f_(finding) {}

  std::string speak() const {
    std::string text;
    for (const std::string& sentence : f_.kind() == verdict::FindingKind::data_race
                                           ? std::array{taken(), used(), unordered(), std::string()}
                                           : std::array{taken(), released(), ended(), used()}) {
      if (sentence.empty()) continue;
      if (!text.empty()) text += ' ';
      const std::size_t at = text.size();
      text += sentence;
      // Names keep their case: only words of ours begin a sentence with a capital.
      if (sentence.starts_with("the ") || sentence.starts_with("then ") || sentence.starts_with("in "))
        text[at] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[at])));
    }
    return text;
  }

 private:
  std::size_t size() const { return scenario_.ops.size(); }

  /// "`forget h0` (line 5)", "the end of the outermost frame", "the final settle".
  std::string moment(std::size_t op) const {
    if (op < size()) {
      if (scenario_.ops[op].kind == OpKind::end) {
        const OpKind opener = opener_of(op);
        if (opener == OpKind::enter) return fmt::format("the return of `enter` (line {})", wording_.line(op));
        const std::string_view what = opener == OpKind::frame   ? "frame"
                                      : opener == OpKind::async ? "async block"
                                      : makes_task(opener)      ? "task's body"
                                                                : "block";
        return fmt::format("the end of the {} (line {})", what, wording_.line(op));
      }
      std::string line = scenario::line_of(scenario_, op, names_);
      if (line.ends_with(" {")) line.resize(line.size() - 2);
      return fmt::format("`{}` (line {})", line, wording_.line(op));
    }
    switch (op - size()) {
      case ledger::at_outermost_end:
        return "the end of the outermost frame";
      case ledger::at_final_settle:
        return "the final settle";
      default:
        return "the end of the runtime";
    }
  }
  OpKind opener_of(std::size_t end) const {
    std::size_t depth = 0;
    for (std::size_t i = end + 1; i-- > 0;) {
      if (scenario_.ops[i].kind == OpKind::end) ++depth;
      if (scenario::opens(scenario_.ops[i].kind) && --depth == 0) return scenario_.ops[i].kind;
    }
    return OpKind::end;
  }

  std::string task() const { return f_.task == none ? "a child" : names_.task(f_.task); }
  /// What the finding is about, as memory.
  std::string memory() const {
    if (f_.cell != none) return names_.cell(f_.cell);
    if (f_.value < scenario::max_values) return fmt::format("the storage of {}", names_.value(f_.value));
    if (f_.value != none) return "the handle of " + task();
    return "the memory";
  }
  std::optional<std::uint8_t> carrier() const {
    for (const Event& event : events_)
      if (event.kind == EventKind::loan_taken && event.actor == f_.task && event.subject == f_.cell &&
          event.detail < scenario::max_values)
        return event.detail;
    return std::nullopt;
  }
  /// The `enter` whose scope carried the loan, if it is one.
  std::optional<std::size_t> abandoned_call() const {
    for (std::size_t i = 0; i < size(); ++i)
      if (scenario_.ops[i].kind == OpKind::enter && carrier() == scenario_.ops[i].value) return i;
    return std::nullopt;
  }
  bool borrowed_mutably() const {
    for (const scenario::Op& op : scenario_.ops)
      if (makes_task(op.kind) && op.subject == f_.task) return (op.mut >> f_.cell & 1) != 0;
    return false;
  }

  std::string taken() const {
    if (f_.taken_at == Finding::no_op || f_.task == none) return "";
    if (f_.cell == none) {
      if (f_.value == none) return fmt::format("{} was spawned at {}.", task(), place(f_.taken_at));
      return fmt::format("{} was spawned at {} and lives in {}.", task(), place(f_.taken_at), memory());
    }
    const auto until = carrier();
    return fmt::format("{} borrowed {} {} at {}{}.", task(), memory(),
                       borrowed_mutably() ? "mutably" : "shared", place(f_.taken_at),
                       until ? fmt::format(", for as long as {} lives", names_.value(*until)) : "");
  }
  /// "line 2", or the moment in words.
  std::string place(std::size_t op) const {
    return op < size() ? fmt::format("line {}", wording_.line(op)) : moment(op);
  }

  std::string released() const {
    if (f_.released_at == Finding::no_op) return "";
    const bool same = f_.released_at == f_.ended_at;
    if (f_.cell == none) return same ? "" : fmt::format("{} gave it up.", moment(f_.released_at));
    const bool forgotten =
        f_.signature.released_by == verdict::Cause::op && f_.signature.released_op == OpKind::forget;
    if (const auto call = abandoned_call(); forgotten && call)
      return fmt::format(
          "{} abandoned the stack that stands in `enter {}` (line {}): the call never returns, so nobody "
          "waits "
          "for {}, and with the stack that loan ended.",
          moment(f_.released_at), names_.value(scenario_.ops[*call].value), wording_.line(*call), task());
    return fmt::format("{} ended that loan{}.", moment(f_.released_at),
                       forgotten ? ": no destructor runs, so nobody stops " + task() : ", but not " + task());
  }
  std::string ended() const {
    if (f_.ended_at == Finding::no_op) return "";
    return fmt::format("{} ended {}.", moment(f_.ended_at), memory());
  }

  /// Of a data-race: the use came first, and in time.
  std::string unordered() const {
    const std::string end =
        f_.released_at == Finding::no_op
            ? std::string("nothing orders that and what others do with it")
            : fmt::format("{} ended that loan, and nothing orders the two", moment(f_.released_at));
    return fmt::format("{}: {} ({}).", end, verdict::info(f_.kind()).text, doc());
  }

  std::string used() const {
    if (f_.used_at == Finding::no_op) return fmt::format("{}: {}.", verdict::info(f_.kind()).text, doc());
    std::string when;
    if (const std::size_t during = client_moment(); during < size() ? during != f_.used_at : true)
      when = fmt::format(", during {}", moment(during));
    const bool in_body = f_.used_at < size() && client_moment() != f_.used_at;
    const std::string use = fmt::format(
        "then {}{}{}", deed(), in_body ? fmt::format(" (line {})", wording_.line(f_.used_at)) : "", when);
    if (f_.kind() == verdict::FindingKind::data_race) return use + ".";
    return fmt::format("{}: {} ({}).", use, verdict::info(f_.kind()).text, doc());
  }
  std::string doc() const { return std::string(verdict::info(f_.kind()).doc); }

  std::string deed() const {
    const std::string what = f_.cell == none ? "memory" : names_.cell(f_.cell);
    switch (f_.signature.used_by) {
      case EventKind::touched_read:
        return fmt::format("{} read {}", task(), what);
      case EventKind::touched_write:
        return fmt::format("{} wrote {}", task(), what);
      case EventKind::touched_by_capture:
        return fmt::format("the destructor of {}'s capture touched {}", task(), what);
      case EventKind::touched_by_result:
        return fmt::format("the destructor of {}'s result touched {}", task(), what);
      case EventKind::touched_by_payload:
        return fmt::format("the destructor of {}'s panic payload touched {}", task(), what);
      case EventKind::stepped:
        return fmt::format("{} was stepped", task());
      case EventKind::child_dropped:
        return fmt::format("{} was destroyed", task());
      case EventKind::result_dropped:
        return fmt::format("the result of {} was destroyed", task());
      case EventKind::payload_dropped:
        return fmt::format("the panic payload of {} was destroyed", task());
      case EventKind::woken:
        return fmt::format("a waker of {} was fired", task());
      case EventKind::storage_died:
        return fmt::format("{} was reclaimed with {} in it", memory(), task());
      case EventKind::joined:
        return fmt::format("a join reported that {} is done", task());
      default:
        return std::string(ledger::info(f_.signature.used_by).doc);
    }
  }

  /// The client's op or moment during which the use happened: the last event that is not in a task's body.
  std::size_t client_moment() const {
    std::size_t moment = f_.used_at;
    std::vector<bool> in_body(size(), false);
    for (std::size_t i = 0; i < size(); ++i)
      if (makes_task(scenario_.ops[i].kind))
        for (std::size_t j = i + 1, end = scenario_.matching_end(i); j <= end; ++j) in_body[j] = true;
    for (std::size_t i = 0; i < events_.size() && i <= f_.event; ++i) {
      const Event& event = events_[i];
      if (event.op >= size() || !in_body[event.op]) moment = event.op;
      if (event.kind == EventKind::frame_ended && event.op == size())
        moment = size() + ledger::at_final_settle;
      if (event.kind == EventKind::program_ended) moment = size() + ledger::at_runtime_end;
    }
    return moment;
  }

  const scenario::Scenario& scenario_;
  const scenario::Wording& wording_;
  const scenario::Names& names_ = wording_.names;
  std::span<const Event> events_;
  const Finding& f_;
};

}  // namespace

std::string explain(const scenario::Scenario& scenario, std::span<const Event> events, const Finding& finding,
                    const scenario::Wording& wording) {
  return Speaker(scenario, events, finding, wording).speak();
}

}  // namespace scopecheck::report

#include "harness/report/timeline.hpp"

#include "harness/ledger/moments.hpp"
#include "harness/ledger/names.hpp"
#include "harness/scenario/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace scopecheck::report {

using ledger::Event;
using ledger::EventKind;
using scenario::none;
using scenario::OpKind;

namespace {

constexpr std::size_t longest_shown_body = 4;  // lines; longer bodies are folded into the line of their spawn
constexpr std::size_t no_moment = static_cast<std::size_t>(-1);

class Builder {
 public:
  Builder(const scenario::Scenario& scenario, const verdict::Finding* finding,
          const scenario::Wording& wording)
      : scenario_(scenario), wording_(wording), finding_(finding) {
    std::vector<std::size_t> open;
    std::vector<std::uint8_t> tasks;
    for (std::size_t i = 0; i < size(); ++i) {
      const scenario::Op& op = scenario_.ops[i];
      body_of_[i] = tasks.empty() ? none : tasks.back();  // the end of a body is a part of it
      if (op.kind == OpKind::end && !open.empty()) {
        match_[open.back()] = i;
        match_[i] = open.back();
        if (makes_task(scenario_.ops[open.back()].kind)) tasks.pop_back();
        open.pop_back();
      }
      depth_[i] = open.size();
      if (scenario::opens(op.kind)) open.push_back(i);
      if (makes_task(op.kind)) tasks.push_back(op.subject);
    }
  }

  Timeline build(std::span<const Event> events) {
    for (std::size_t i = 0; i < events.size(); ++i) {
      const Event& event = events[i];
      if (body_of(event.op) == none) moment_ = event.op;
      const bool late = finding_ != nullptr && i == finding_->event;
      if (late)
        use(events, i);
      else
        take(events, i);
      if (event.kind == EventKind::frame_ended && event.op == size())
        moment_ = size() + ledger::at_final_settle;
      if (event.kind == EventKind::program_ended) moment_ = size() + ledger::at_runtime_end;
      if (late) break;
    }
    out_.last_moment = moment_ == no_moment ? 0 : moment_;
    return std::move(out_);
  }

 private:
  std::size_t size() const { return scenario_.ops.size(); }
  std::uint8_t body_of(std::size_t op) const { return op < size() ? body_of_[op] : none; }
  std::size_t row() const { return out_.rows.size() - 1; }

  /// Handles that the API awaits on the spot have no name of their own; their indices follow the values'.
  std::string value_name(std::uint8_t value) const {
    if (value < scenario::max_values) return names_.value(value);
    return fmt::format("the await of {}",
                       names_.task(static_cast<std::uint8_t>(value - scenario::max_values)));
  }

  /// Whether the `suspended` at events[at] is a `yield` that was taken: a child that waits for leave to take
  /// its next step is suspended at the op of that step, too.
  bool yielded(std::span<const Event> events, std::size_t at) const {
    const Event& event = events[at];
    if (event.op >= size() || scenario_.ops[event.op].kind != OpKind::yield) return false;
    for (std::size_t i = at + 1; i < events.size(); ++i)
      if (events[i].kind == EventKind::suspended && events[i].op == event.op) return false;
    if (moment_ >= size()) return true;
    if (scenario_.ops[moment_].kind == OpKind::step) {  // leave for one step of one child
      if (scenario_.ops[moment_].subject != event.actor) return false;
      for (std::size_t i = at; i-- > 0;) {
        if (events[i].kind == EventKind::op_begun && events[i].op == moment_) break;
        if (events[i].op != event.op && body_of(events[i].op) == event.actor) return false;
      }
      return true;
    }
    switch (scenario_.ops[moment_].kind) {
      case OpKind::spawn:
      case OpKind::reserve:
      case OpKind::start:
      case OpKind::scope:
      case OpKind::forget:
      case OpKind::move:
      case OpKind::move_out:
      case OpKind::cancel:
      case OpKind::close:
      case OpKind::detach:
        return false;
      default:
        return true;
    }
  }

  // ---- rows ---------------------------------------------------------------------------------------

  void push(Row next) {
    out_.rows.push_back(std::move(next));
    ended_here_ = false;
    acted_here_ = none;
    acts_here_ = 0;
  }
  void push_line(std::size_t op, bool quiet) {
    push({.line = wording_.line(op),
          .depth = depth_[op],
          .text = scenario::line_of(scenario_, op, names_),
          .quiet = quiet});
  }

  /// A row for the client's op or moment.
  void reach(std::size_t op) {
    for (; !open_.empty() && op >= match_[open_.back()]; open_.pop_back())
      if (op != match_[open_.back()]) push_line(match_[open_.back()], true);
    shown_moment_ = op;
    if (op >= size()) {
      push({.text = moment_in_words(scenario_, op)});
      return;
    }
    const OpKind kind = scenario_.ops[op].kind;
    if (kind == OpKind::catch_ || kind == OpKind::inside || kind == OpKind::enter) open_.push_back(op);
    if (makes_task(kind) || kind == OpKind::async) return reach_body(op);
    push_line(op, false);
    opener_row_ = row();
  }

  /// The body of a child stands below its spawn; that of an async block appears where it is polled.
  void reach_body(std::size_t op) {
    const std::size_t end = match_[op];
    push_line(op, false);
    opener_row_ = row();
    if (makes_task(scenario_.ops[op].kind) && end - op - 1 <= longest_shown_body) {
      for (std::size_t line = op + 1; line <= end; ++line) push_line(line, true);
    } else {
      out_.rows.back().text += fmt::format(" ... {}", scenario::line_of(scenario_, end, names_));
    }
  }

  /// Makes the last row one that belongs to the present moment.
  void sync() {
    if (out_.rows.empty() || (shown_moment_ != moment_ && moment_ != no_moment)) {
      const bool again = moment_ < size() && was_reached_[moment_];
      if (!again) return mark_reached(), reach(moment_ == no_moment ? 0 : moment_);
      shown_moment_ = moment_;
      push({.depth = depth_[moment_] + 1,
            .text = scenario::line_of(scenario_, moment_, names_),
            .consequence = true});
    }
  }
  void mark_reached() {
    if (moment_ < size()) was_reached_[moment_] = true;
  }

  void consequence(std::string text) {
    const std::size_t depth = shown_moment_ < size() ? depth_[shown_moment_] + 1 : 1;
    push({.depth = depth, .text = std::move(text), .consequence = true});
  }

  // ---- bars and acts ------------------------------------------------------------------------------

  static Bar* open_bar(std::vector<Bar>& bars, auto&& matches) {
    for (auto bar = bars.rbegin(); bar != bars.rend(); ++bar)
      if (!bar->last && matches(*bar)) return &*bar;
    return nullptr;
  }

  /// Ends a bar in a row in which no child acted before it, unless that child itself ended it.
  void end_bar(Bar* bar, std::size_t op, std::string text) {
    if (bar == nullptr) return;
    sync();
    if (acted_here_ != none && acted_here_ != body_of(op)) consequence(std::move(text));
    bar->last = row();
    ended_here_ = true;
  }

  void act(std::uint8_t task, std::string text, ActTone tone) {
    sync();
    const bool crowded = tone == ActTone::wrong ? acted_here_ != none : acts_here_ >= 2;
    if (ended_here_ || crowded || (acted_here_ != none && acted_here_ != task)) push({});
    if (acted_here_ == task && task != none) {
      Act& last = out_.acts.back();
      last.text += ", " + text;
      last.tone = tone;
    } else {
      out_.acts.push_back({.row = row(), .task = task, .text = std::move(text), .tone = tone});
    }
    acted_here_ = task;
    ++acts_here_;
  }

  void value_over(const Event& event, std::string_view how) {
    if (const std::uint8_t task = body_of(event.op); task != none) {
      const scenario::Op& op = scenario_.ops[event.op];
      const bool told = op.kind != OpKind::end && op.subject == event.subject;
      return act(task,
                 told ? scenario::line_of(scenario_, event.op, names_)
                      : fmt::format("{} {}", value_name(event.subject), how),
                 ActTone::ran);
    }
    sync();
    const bool named = moment_ < size() && scenario_.ops[moment_].kind != OpKind::end &&
                       scenario_.ops[moment_].subject == event.subject &&
                       scenario::counted(scenario_.ops[moment_].kind) &&
                       event.kind != EventKind::value_unwound;
    if (!named || acted_here_ != none) consequence(fmt::format("{} {}", value_name(event.subject), how));
  }

  void spawned(const Event& event) {
    sync();
    const std::uint8_t spawner = body_of(event.op);
    const bool by_client = spawner == none;
    const bool reserved = event.op < size() && scenario_.ops[event.op].kind == OpKind::reserve;
    if (!by_client)
      act(spawner, fmt::format("{} {}", reserved ? "reserve" : "spawn", names_.task(event.subject)),
          ActTone::ran);
    const std::size_t at = by_client ? std::min(opener_row_, row()) : row();
    out_.tasks.push_back({.name = names_.task(event.subject), .first = at, .borrower = event.subject});
    out_.acts.push_back({.row = at,
                         .task = event.subject,
                         .text = reserved ? "reserved" : "spawned",
                         .tone = ActTone::spawned});
    if (!by_client && !out_.acts.empty()) std::swap(out_.acts.back(), out_.acts[out_.acts.size() - 2]);
  }

  void loan(const Event& event) {
    sync();
    Bar bar{.name = names_.task(event.actor),
            .cell = event.subject,
            .borrower = event.actor,
            .carrier = event.detail};
    bar.opened_at = event.op;
    for (const scenario::Op& op : scenario_.ops)
      if (makes_task(op.kind) && op.subject == event.actor) bar.mut = (op.mut >> event.subject & 1) != 0;
    bar.first = body_of(event.op) == none ? std::min(opener_row_, row()) : row();
    out_.loans.push_back(bar);
  }

  void ended(std::uint8_t task, std::string text) {
    Bar* bar = open_bar(out_.tasks, [&](const Bar& b) { return b.borrower == task; });
    if (bar == nullptr) return;  // over before
    act(task, std::move(text), ActTone::ended);
    bar->last = row();
  }

  std::string touch(const Event& event) const {
    const std::string cell = names_.cell(event.subject);
    switch (event.kind) {
      case EventKind::touched_read:
        return "read " + cell;
      case EventKind::touched_write:
        return "write " + cell;
      case EventKind::touched_by_capture:
        return fmt::format("drop capture: {}", cell);
      case EventKind::touched_by_result:
        return fmt::format("drop result: {}", cell);
      default:
        return fmt::format("drop payload: {}", cell);
    }
  }

  // ---- events -------------------------------------------------------------------------------------

  void take(std::span<const Event> events, std::size_t at) {
    const Event& event = events[at];
    switch (event.kind) {
      case EventKind::op_begun:
        if (const std::uint8_t task = body_of(event.op); task != none)
          act(task, scenario::line_of(scenario_, event.op, names_), ActTone::ran);
        else
          mark_reached(), reach(event.op);
        break;
      case EventKind::frame_opened:
        if (event.op >= size() || scenario_.ops[event.op].kind != OpKind::frame || out_.rows.empty()) break;
        out_.memory.push_back({.name = fmt::format("{{{}", wording_.line(event.op)),
                               .first = row(),
                               .borrower = event.actor,
                               .opened_at = event.op,
                               .frame = true});
        break;
      case EventKind::frame_ended:
        sync();
        end_bar(open_bar(out_.memory, [&](const Bar& b) { return b.frame && b.borrower == event.actor; }),
                event.op, "the frame's memory ends");
        break;
      case EventKind::cell_born:
        sync();
        out_.memory.push_back({.name = names_.cell(event.subject),
                               .first = row(),
                               .cell = event.subject,
                               .opened_at = event.op});
        break;
      case EventKind::cell_died:
        end_bar(open_bar(out_.memory, [&](const Bar& b) { return b.cell == event.subject; }), event.op,
                names_.cell(event.subject) + " ends");
        break;
      case EventKind::value_made:
        if (finding_ != nullptr && finding_->cell == none && finding_->value == event.subject &&
            event.subject < scenario::max_values) {
          sync();
          out_.memory.push_back({.name = names_.value(event.subject),
                                 .first = std::min(opener_row_, row()),
                                 .carrier = event.subject,
                                 .opened_at = event.op});
        }
        break;
      case EventKind::storage_died:
        end_bar(open_bar(out_.memory, [&](const Bar& b) { return b.carrier == event.subject; }), event.op,
                value_name(event.subject) + "'s storage ends");
        break;
      case EventKind::value_dropped:
        value_over(event, "dropped");
        break;
      case EventKind::value_forgotten:
        value_over(event, "forgotten");
        break;
      case EventKind::value_left:
        value_over(event, event.detail != 0 ? "is over, unwinding" : "is over");
        break;
      case EventKind::value_consumed:
        value_over(event, "consumed");
        break;
      case EventKind::value_unwound:
        value_over(event, "dropped by unwinding");
        break;
      case EventKind::spawned:
        spawned(event);
        break;
      case EventKind::started:
        act(event.subject, "started", ActTone::ran);
        break;
      case EventKind::refused:
        act(event.subject, "refused", ActTone::ended);
        break;
      case EventKind::loan_taken:
        loan(event);
        break;
      case EventKind::loan_expired:
        end_bar(open_bar(out_.loans,
                         [&](const Bar& b) { return b.borrower == event.actor && b.cell == event.subject; }),
                event.op,
                fmt::format("{}'s loan of {} ends", names_.task(event.actor), names_.cell(event.subject)));
        break;
      case EventKind::touched_read:
      case EventKind::touched_write:
      case EventKind::touched_by_capture:
      case EventKind::touched_by_result:
      case EventKind::touched_by_payload:
        act(event.actor, touch(event), ActTone::ran);
        break;
      case EventKind::suspended:
        if (yielded(events, at)) act(event.subject, "yield", ActTone::ran);
        break;
      case EventKind::parked:
        act(event.subject, "park", ActTone::ran);
        break;
      case EventKind::waker_kept:
        act(event.subject, "keep waker", ActTone::ran);
        break;
      case EventKind::finished:
        ended(event.subject, "done");
        break;
      case EventKind::threw:
        ended(event.subject, "panics");
        break;
      case EventKind::child_dropped:
        ended(event.subject, "dropped");
        break;
      case EventKind::caught:
        if (!open_.empty() && scenario_.ops[open_.back()].kind == OpKind::catch_) {
          push_line(match_[open_.back()], false);
          out_.rows.back().text += " panic caught";
          open_.pop_back();
        }
        break;
      default:
        break;  // said by the row of its op, or by what follows
    }
  }

  /// The finding's use: always visible, whatever event it is.
  void use(std::span<const Event> events, std::size_t at) {
    const Event& event = events[at];
    std::uint8_t task = finding_->task;
    if (task == none && event.actor < scenario::max_tasks) task = event.actor;
    std::string text;
    switch (event.kind) {
      case EventKind::touched_read:
      case EventKind::touched_write:
      case EventKind::touched_by_capture:
      case EventKind::touched_by_result:
      case EventKind::touched_by_payload:
        text = touch(event);
        break;
      case EventKind::stepped:
        text = "stepped";
        break;
      case EventKind::child_dropped:
        text = "dropped";
        break;
      case EventKind::storage_died:
        text = "storage gone";
        break;
      case EventKind::woken:
        text = "woken";
        break;
      case EventKind::joined:
        text = "not done";
        break;
      case EventKind::settled:
        text = "not stepped";
        break;
      default:
        text = ledger::name(event.kind);
        std::ranges::replace(text, '-', ' ');
        break;
    }
    if (event.kind == EventKind::op_begun || event.kind == EventKind::storage_died) take(events, at);
    act(task, std::move(text), ActTone::wrong);
    out_.late_row = row();
  }

  const scenario::Scenario& scenario_;
  const scenario::Wording& wording_;
  const scenario::Names& names_ = wording_.names;
  const verdict::Finding* finding_;
  std::array<std::size_t, scenario::max_ops> match_{};
  std::array<std::size_t, scenario::max_ops> depth_{};
  std::array<std::uint8_t, scenario::max_ops> body_of_{};  // the task whose body an op belongs to
  std::array<bool, scenario::max_ops> was_reached_{};

  Timeline out_;
  std::vector<std::size_t> open_;         // catch, inside and enter whose end has not been shown
  std::size_t moment_ = no_moment;        // where the client is
  std::size_t shown_moment_ = no_moment;  // the moment that the last rows belong to
  std::size_t opener_row_ = 0;            // of the client's last op, above the body it may have
  bool ended_here_ = false;               // a bar ended in the last row
  std::uint8_t acted_here_ = none;        // the task that acted in the last row
  std::size_t acts_here_ = 0;
};

}  // namespace

Timeline timeline(const scenario::Scenario& scenario, std::span<const Event> events,
                  const verdict::Finding* finding, const scenario::Wording& wording) {
  return Builder(scenario, finding, wording).build(events);
}

std::string moment_in_words(const scenario::Scenario& scenario, std::size_t op) {
  switch (op - scenario.ops.size()) {
    case ledger::at_outermost_end:
      return "outermost frame ends";
    case ledger::at_final_settle:
      return "final settle";
    default:
      return "runtime is destroyed";
  }
}

}  // namespace scopecheck::report

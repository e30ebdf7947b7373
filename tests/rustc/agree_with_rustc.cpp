// Holds the client rules against rustc: draws pairs for every shape of API, renders them, asks rustc, and
// prints where the two agree. See scripts/agree-with-rustc.
#include "harness/report/rust.hpp"
#include "harness/scenario/text.hpp"
#include "harness/shrinker/edit.hpp"
#include "tests/rustc/apis.hpp"
#include "tests/rustc/pairs.hpp"
#include "tests/rustc/rustc.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

namespace scopecheck::tests {
namespace {

using scenario::Offers;
using scenario::Rule;
using scenario::Scenario;

/// Its last op meets the loan of an outer scope that was lent the cell shared only: a block on the way has
/// captured the cell mutably (docs/client-rules.md, approximation 7).
bool lent_through_mutable_capture(const Scenario& program, const Offers& offers) {
  const auto verdict = scenario::check(program, offers);
  if (verdict) return false;
  const scenario::Violation& bad = verdict.error().violation;
  if (bad.rule != Rule::read_while_mut_borrowed && bad.rule != Rule::borrow_while_mut_borrowed) return false;
  bool shared = false;
  for (const scenario::Op& op : program.ops) {
    if (!scenario::makes_task(op.kind) || op.scope == scenario::none || op.scope != bad.carrier) continue;
    if ((op.mut & scenario::bit8(bad.cell)) != 0) return false;
    shared = shared || (op.shared & scenario::bit8(bad.cell)) != 0;
  }
  return shared;
}

/// Its last op uses a cell that the task has lent on, mutably, into its own scope, where handles carry the
/// loans.
bool lent_on_by_handle(const Scenario& program, const Offers& offers) {
  const auto verdict = scenario::check(program, offers);
  if (verdict || offers.carrier != scenario::Carrier::handle) return false;
  const scenario::Violation& bad = verdict.error().violation;
  if (bad.rule != Rule::not_borrowed && bad.rule != Rule::write_through_shared) return false;
  std::vector<std::optional<std::uint8_t>> scopes;  // of the open blocks that are tasks
  for (const scenario::Op& op : program.ops) {
    if (op.kind == scenario::OpKind::end) {
      scopes.pop_back();
      continue;
    }
    if (!scenario::opens(op.kind)) continue;
    const bool task = scenario::makes_task(op.kind);
    const auto outer =
        std::ranges::find_if(scopes.rbegin(), scopes.rend(), [](auto s) { return s.has_value(); });
    if (task && outer != scopes.rend() && **outer == op.scope && (op.mut & scenario::bit8(bad.cell)) != 0)
      return true;
    scopes.push_back(task ? std::optional(op.scope) : std::nullopt);
  }
  return false;
}

/// Which section of "What Rust accepts and we refuse" in docs/client-rules.md says why; 0: none does.
int approximation(Rule rule, const Scenario& program, const Offers& offers) {
  if (rule == Rule::held_by_destructor) return 4;
  if (rule == Rule::declared_after_carrier && offers.carrier == scenario::Carrier::handle) return 5;
  if (lent_on_by_handle(program, offers)) return 10;
  return lent_through_mutable_capture(program, offers) ? 7 : 0;
}

struct Row {
  std::size_t both_accept = 0, both_refuse = 0, false_accusations = 0, lost = 0, other_code = 0;
};

struct Options {
  std::size_t count = 10'000;
  std::uint64_t seed = 1;
  std::string rustc = "rustc";
  std::string keep;
  /// The rule that this build of the rules was robbed of.
  std::optional<Rule> off;
};

class Agreement {
 public:
  explicit Agreement(const Options& options)
      : options_(options),
        folder_(options.keep.empty()
                    ? std::filesystem::temp_directory_path() / fmt::format("agree-with-rustc.{}", getpid())
                    : std::filesystem::path(options.keep)) {
    std::filesystem::create_directories(folder_);
  }
  ~Agreement() {
    if (options_.keep.empty()) std::filesystem::remove_all(folder_);
  }
  Agreement(const Agreement&) = delete;
  Agreement& operator=(const Agreement&) = delete;

  int run() {
    draw();
    for (std::size_t api = 0; api < rust_apis.size(); ++api)
      if (!compare(api)) return 3;
    if (options_.off) return print_noticed();
    print();
    return reached() && bad_ == 0 ? 0 : 1;
  }

 private:
  void draw() {
    cases_.resize(rust_apis.size());
    std::vector<Pairs> pairs;
    for (std::size_t i = 0; i < rust_apis.size(); ++i)
      pairs.emplace_back(rust_apis[i].offers, options_.seed + i);
    std::map<Rule, std::array<std::size_t, 2>> kept;  // of the pairs: the accepted side, the refused side
    std::map<Rule, std::size_t> made;                 // the lesser of the two
    std::size_t whole = 0, any_op = 0;
    const std::size_t each = options_.count / 20;
    const auto enough = [&] {
      if (whole < options_.count / 4 || any_op < options_.count) return false;
      for (std::size_t i = 0; i < scenario::rule_table.size(); ++i)
        if (!scenario::rule_table[i].rustc.empty() && static_cast<Rule>(i) != options_.off &&
            made[static_cast<Rule>(i)] < each)
          return false;
      return true;
    };
    draw_known();
    std::size_t in_vain = 0;  // rounds without a program that was wanted
    for (std::size_t round = 0; !enough() && in_vain < 50'000; ++round) {
      ++in_vain;
      const std::size_t api = round % rust_apis.size();
      std::vector<Case> drawn;
      pairs[api].draw(drawn, made);
      for (Case& one : drawn) {
        const bool deep = nested(one.scenario);
        const bool wanted = one.about    ? kept[*one.about][one.broken ? 1 : 0] < each
                            : one.any_op ? any_op < options_.count
                                         : whole < options_.count / 4;
        if (!wanted || (!deep && plain_ > nested_)) continue;
        ++(deep ? nested_ : plain_);
        if (one.about) {
          ++kept[*one.about][one.broken ? 1 : 0];
        } else {
          ++(one.any_op ? any_op : whole);
        }
        in_vain = 0;
        cases_[api].push_back(std::move(one));
      }
      for (const auto& [rule, sides] : kept) made[rule] = std::min(sides[0], sides[1]);
    }
  }

  /// The clients that are known by heart. Where a rule is missing they are accepted, and stand for
  /// themselves.
  void draw_known() {
    for (const Known& known : known_clients) {
      const auto program = scenario::parse(known.text);
      if (!program) throw std::logic_error(std::string("not a scenario: ") + known.text);
      bool met = false;
      for (std::size_t api = 0; api < rust_apis.size(); ++api) {
        const auto verdict = scenario::check(program->scenario, rust_apis[api].offers);
        const std::optional<Rule> broken =
            verdict ? std::nullopt : std::optional(verdict.error().violation.rule);
        if (broken && *broken != known.rule) continue;
        cases_[api].push_back({.scenario = program->scenario, .broken = broken, .about = broken});
        met = true;
      }
      if (!met) throw std::logic_error(std::string("no API has its ops: ") + known.text);
    }
  }

  bool compare(std::size_t api) {
    const Offers& offers = rust_apis[api].offers;
    std::vector<Scenario> programs;
    for (const Case& one : cases_[api]) programs.push_back(one.scenario);
    const auto codes = ask(programs, offers);
    if (!codes) return false;
    for (std::size_t i = 0; i < programs.size(); ++i) judge(api, cases_[api][i], (*codes)[i]);
    return true;
  }

  std::optional<std::vector<Codes>> ask(const std::vector<Scenario>& programs, const Offers& offers) {
    std::vector<std::string> functions;
    for (std::size_t i = 0; i < programs.size(); ++i)
      functions.push_back(report::to_rust_function(programs[i], offers, fmt::format("client{}", i)));
    auto codes = ask_rustc(options_.rustc, folder_, report::rust_prelude(offers), functions);
    if (codes) return std::move(*codes);
    fmt::print(stderr, "agree-with-rustc: {}\n", codes.error());
    return std::nullopt;
  }

  static bool expected(Rule rule, const Codes& codes) {
    const std::string_view all = scenario::info(rule).rustc;
    for (const std::string& code : codes)
      if (all.find(code) != std::string_view::npos) return true;
    return false;
  }

  void judge(std::size_t api, const Case& one, const Codes& codes) {
    Row& row = one.about ? rows_[*one.about] : one.any_op ? any_op_ : random_;
    if (!one.broken) {
      ++(codes.empty() ? row.both_accept : row.false_accusations);
      if (options_.off && expected(*options_.off, codes)) ++off_noticed_;
      if (!codes.empty()) complain(api, one, codes, "FALSE ACCUSATION: well-formed for us, rustc refuses it");
    } else if (codes.empty()) {
      ++row.lost;
      const int name = approximation(*one.broken, one.scenario, rust_apis[api].offers);
      ++lost_by_[name];
      if (name == 0) complain(api, one, codes, "LOST CHANCE without a name: rustc accepts it");
    } else {
      ++row.both_refuse;
      if (!expected(*one.broken, codes)) {
        ++row.other_code;
        complain(api, one, codes, "ANOTHER CODE than the rule expects");
      }
    }
  }

  void complain(std::size_t api, const Case& one, const Codes& codes, std::string_view what) {
    ++bad_;
    if (options_.off) return;
    auto& shown = shown_[std::string(what) + (one.broken ? std::string(scenario::info(*one.broken).id)
                                                         : fmt::format("{}", fmt::join(codes, " ")))];
    if (++shown > 2) return;
    const Offers& offers = rust_apis[api].offers;
    const Scenario small = shrunk(one, offers, codes);
    fmt::print("{}\n  API {}, rule {}, rustc {}\n{}{}\n", what, rust_apis[api].name,
               one.broken ? scenario::info(*one.broken).id : "none", fmt::join(codes, " "), to_text(small),
               report::to_rust_function(small, offers, "client"));
  }

  /// Smaller with the same disagreement: the same answer of the rules and the same codes.
  Scenario shrunk(const Case& one, const Offers& offers, const Codes& codes) {
    Scenario best = one.scenario;
    for (bool again = true; again;) {
      again = false;
      std::vector<Scenario> smaller;
      for (std::size_t i = 0; i < best.ops.size(); ++i) {
        if (best.ops[i].kind == scenario::OpKind::end) continue;
        shrinker::OpSet removed;
        removed.set(i);
        smaller.push_back(shrinker::without(best, removed));
        if (scenario::opens(best.ops[i].kind)) smaller.push_back(shrinker::without(best, removed, removed));
      }
      std::erase_if(smaller, [&](const Scenario& candidate) {
        const auto verdict = scenario::check(candidate, offers);
        return verdict.has_value() ? one.broken.has_value() : verdict.error().violation.rule != one.broken;
      });
      const auto answers = ask(smaller, offers);
      if (!answers) return best;
      for (std::size_t i = 0; i < smaller.size() && !again; ++i)
        if ((*answers)[i] == codes) {
          best = smaller[i];
          again = true;
        }
    }
    return best;
  }

  /// Every rule that rustc knows was asked about often enough, on both sides.
  bool reached() {
    bool all = true;
    for (std::size_t i = 0; i < scenario::rule_table.size(); ++i) {
      const auto& info = scenario::rule_table[i];
      const Row row = rows_[static_cast<Rule>(i)];
      const std::size_t fewest =
          std::min(row.both_accept + row.false_accusations, row.both_refuse + row.lost);
      if (info.rustc.empty() || fewest >= options_.count / 20) continue;
      fmt::print("TOO FEW programs at the border of {}: {}\n", info.id, fewest);
      all = false;
    }
    return all;
  }

  void print() const {
    fmt::print("{:<28} {:>11} {:>12} {:>12} {:>12}  {}\n", "rule", "both accept", "both refuse", "only rustc",
               "only we", "expected codes");
    fmt::print("{:<28} {:>11} {:>12} {:>12} {:>12}\n", "(whole random programs)", random_.both_accept, "",
               random_.false_accusations, "");
    fmt::print("{:<28} {:>11} {:>12} {:>12} {:>12}\n", "(an accepted op of any kind)", any_op_.both_accept,
               "", any_op_.false_accusations, "");
    std::size_t accused = random_.false_accusations + any_op_.false_accusations;
    std::size_t total = random_.both_accept + any_op_.both_accept + accused;
    std::size_t lost = 0;
    std::size_t refused = 0;
    for (std::size_t i = 0; i < scenario::rule_table.size(); ++i) {
      const auto& info = scenario::rule_table[i];
      if (info.rustc.empty()) continue;
      const auto found = rows_.find(static_cast<Rule>(i));
      const Row row = found == rows_.end() ? Row{} : found->second;
      fmt::print("{:<28} {:>11} {:>12} {:>12} {:>12}  {}\n", info.id, row.both_accept, row.both_refuse,
                 row.false_accusations, row.lost, info.rustc);
      total += row.both_accept + row.both_refuse + row.false_accusations + row.lost;
      lost += row.lost;
      refused += row.both_refuse + row.lost;
      accused += row.false_accusations;
    }
    fmt::print("{} programs, {} of them with async blocks, inside or nested frames\n", total, nested_);
    fmt::print("well-formed for us, refused by rustc: {}\n", accused);
    const auto percent = [&](std::size_t all) {
      return 100.0 * static_cast<double>(lost) / static_cast<double>(all);
    };
    fmt::print("refused by us, accepted by rustc: {} ({:.2f} % of all, {:.2f} % of those that we refuse)\n",
               lost, percent(total), percent(refused));
    for (const auto& [name, count] : lost_by_)
      if (name != 0) fmt::print("  {} by approximation {} of docs/client-rules.md\n", count, name);
  }

  /// Without a rule there must be programs that we accept and rustc refuses for that rule's reason.
  int print_noticed() const {
    std::size_t accused = random_.false_accusations + any_op_.false_accusations;
    for (const auto& [rule, row] : rows_) accused += row.false_accusations;
    fmt::print("{}: rustc refuses {} programs, {} of them with its codes ({})\n",
               off_noticed_ > 0 ? "noticed" : "NOT NOTICED", accused, off_noticed_,
               scenario::info(*options_.off).rustc);
    return off_noticed_ > 0 ? 0 : 1;
  }

  Options options_;
  std::filesystem::path folder_;
  std::vector<std::vector<Case>> cases_;
  std::map<Rule, Row> rows_;
  Row random_, any_op_;
  std::map<int, std::size_t> lost_by_;
  std::map<std::string, std::size_t> shown_;
  std::size_t bad_ = 0, nested_ = 0, plain_ = 0, off_noticed_ = 0;
};

}  // namespace
}  // namespace scopecheck::tests

int main(int argc, char** argv) {
  scopecheck::tests::Options options;
  CLI::App app{"Compares the client rules with rustc's borrow checker", "agree-with-rustc"};
  app.add_option("--count", options.count, "at least so many programs, a twentieth for each rule and side")
      ->check(CLI::Range(20, 1'000'000))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of the programs")->capture_default_str();
  app.add_option("--rustc", options.rustc, "the compiler to ask")->capture_default_str();
  app.add_option("--keep", options.keep, "leave the crates in this folder");
  app.add_option_function<std::string>(
      "--off",
      [&](const std::string& id) {
        for (std::size_t i = 0; i < scopecheck::scenario::rule_table.size(); ++i)
          if (const auto& info = scopecheck::scenario::rule_table[i]; info.id == id && !info.rustc.empty())
            options.off = static_cast<scopecheck::scenario::Rule>(i);
        if (!options.off) throw CLI::ValidationError("--off", "no rule that rustc knows: " + id);
      },
      "the rule that this program was built without: 0 if rustc refuses programs for its sake");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    return scopecheck::tests::Agreement(options).run();
  } catch (const std::exception& e) {
    fmt::print(stderr, "agree-with-rustc: {}\n", e.what());
    return 3;
  }
}

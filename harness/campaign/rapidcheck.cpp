#include "harness/campaign/rapidcheck.hpp"

#include "harness/generator/mend.hpp"
#include "harness/generator/random.hpp"
#include "harness/interpreter/machine.hpp"
#include "harness/verdict/oracles.hpp"

#include <fmt/format.h>
#include <rapidcheck.h>
#include <rapidcheck/shrinkable/Operations.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <vector>

namespace scopecheck::campaign {
namespace {

using scenario::Op;
using scenario::Scenario;

constexpr int largest_size = 100;

/// Everything that is the same scenario with some ops left out.
rc::Seq<Scenario> smaller(const Scenario& from, const scenario::Offers& offers,
                          const scenario::Bounds& bounds) {
  return rc::seq::filter(
      rc::seq::map(
          rc::shrink::removeChunks(std::vector<Op>(from.ops.begin(), from.ops.end())),
          [&offers, &bounds](const std::vector<Op>& ops) { return generator::mend(ops, offers, bounds); }),
      [from](const Scenario& candidate) { return candidate < from; });
}

void label(const Scenario& scenario, std::map<std::string, std::uint64_t>& labels) {
  constexpr std::array<std::string_view, 3> vectors = {"forget", "cycle", "in-place"};
  std::set<std::string> has;
  std::size_t depth = 0;
  std::size_t deepest = 0;
  for (const Op& op : scenario.ops) {
    if (scenario::opens(op.kind)) deepest = std::max(deepest, ++depth);
    if (op.kind == scenario::OpKind::end) {
      --depth;
      continue;
    }
    has.insert(fmt::format("op {}", scenario::info(op.kind).id));
    if (scenario::info(op.kind).operand == scenario::Operand::vector)
      has.insert(fmt::format("vector {}", vectors[op.extra % vectors.size()]));
  }
  has.insert(fmt::format("depth {}", deepest));
  for (const std::string& name : has) ++labels[name];
}

}  // namespace

rc::Gen<Scenario> any_scenario(const scenario::Offers& offers, const scenario::Bounds& bounds) {
  return [&offers, &bounds](const rc::Random& random, int size) {
    rc::Random source = random;
    const auto most =
        static_cast<std::uint8_t>(1 + std::min(size, largest_size) * (bounds.ops - 1) / largest_size);
    generator::Random engine(offers, bounds, source.next(), {.least = 1, .most = most});
    return rc::shrinkable::shrinkRecur(
        engine.next(), [&offers, &bounds](const Scenario& from) { return smaller(from, offers, bounds); });
  };
}

RapidcheckResult rapidcheck(interpreter::Implementation implementation, scenario::Discipline discipline,
                            std::uint64_t runs, std::uint64_t seed) {
  const scenario::Offers offers = interpreter::offers_of(implementation, discipline);
  const scenario::Bounds bounds = generator::random_bounds();
  const auto ledger = std::make_unique<ledger::Ledger>();
  interpreter::Machine machine(implementation, offers, *ledger);
  RapidcheckResult result;
  const auto finding_of = [&](const Scenario& scenario) -> std::optional<verdict::Finding> {
    if (machine.run(scenario, {}) == interpreter::Outcome::error) result.error = machine.error();
    verdict::Findings findings;
    verdict::judge({scenario, ledger->events(), ledger->alarms(), {}}, findings);
    for (const verdict::Finding& finding : findings)
      if (verdict::info(finding.kind()).memory) return finding;
    return std::nullopt;
  };
  const rc::Gen<Scenario> scenarios = any_scenario(offers, bounds);
  rc::Random random(seed);
  while (result.runs < runs && result.error.empty()) {
    const auto size = static_cast<int>(result.runs++ % largest_size) + 1;
    const auto drawn = scenarios(random.split(), size);
    label(drawn.value(), result.labels);
    result.finding = finding_of(drawn.value());
    if (!result.finding) continue;
    const verdict::Signature wanted = result.finding->signature;
    const auto [smallest, accepted] = rc::shrinkable::findLocalMin(drawn, [&](const Scenario& candidate) {
      const auto finding = finding_of(candidate);
      return finding && finding->signature == wanted;
    });
    result.scenario = smallest;
    result.shrinks = accepted;
    result.finding = finding_of(smallest);
    break;
  }
  return result;
}

}  // namespace scopecheck::campaign

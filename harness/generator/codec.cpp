#include "harness/generator/codec.hpp"

namespace scopecheck::generator {

using scenario::Op;

namespace {

/// Choices at a draft: the candidates; at the root one more in front, to stop.
struct Choices {
  Candidates ops;
  bool can_stop = false;
  explicit Choices(const Draft& draft) : can_stop(draft.at_root()) { draft.candidates(ops); }
  std::size_t size() const { return ops.size() + (can_stop ? 1 : 0); }
  std::size_t bytes() const { return size() > 256 ? 2 : 1; }
};

}  // namespace

scenario::Scenario decode(std::span<const std::uint8_t> bytes, const scenario::Offers& offers,
                          const scenario::Bounds& bounds) {
  Draft draft(offers, bounds);
  while (!bytes.empty()) {
    const Choices choices(draft);
    if (choices.size() == 0) break;
    std::size_t choice = bytes[0];
    if (choices.bytes() == 2 && bytes.size() > 1) choice |= static_cast<std::size_t>(bytes[1]) << 8;
    bytes = bytes.subspan(std::min(choices.bytes(), bytes.size()));
    choice %= choices.size();
    if (choices.can_stop && choice == 0) break;
    draft.push(choices.ops[choice - (choices.can_stop ? 1 : 0)]);
  }
  draft.close();
  return draft.scenario();
}

std::optional<std::vector<std::uint8_t>> encode(const scenario::Scenario& scenario,
                                                const scenario::Offers& offers,
                                                const scenario::Bounds& bounds) {
  Draft draft(offers, bounds);
  std::vector<std::uint8_t> bytes;
  for (const Op& op : scenario.ops) {
    const Choices choices(draft);
    std::size_t at = 0;
    while (at < choices.ops.size() && !same_choice(choices.ops[at], op)) ++at;
    if (at == choices.ops.size()) return std::nullopt;
    const std::size_t choice = at + (choices.can_stop ? 1 : 0);
    bytes.push_back(static_cast<std::uint8_t>(choice & 0xff));
    if (choices.bytes() == 2) bytes.push_back(static_cast<std::uint8_t>(choice >> 8));
    draft.push(choices.ops[at]);
  }
  if (!draft.at_root() || !(draft.scenario() == scenario)) return std::nullopt;
  while (!bytes.empty() && bytes.back() == 0) bytes.pop_back();  // missing bytes read as 0
  return bytes;
}

}  // namespace scopecheck::generator

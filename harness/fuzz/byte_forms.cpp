#include "harness/fuzz/byte_forms.hpp"

#include "harness/abi/registry.hpp"
#include "harness/base/assert.hpp"
#include "harness/generator/codec.hpp"
#include "harness/generator/input.hpp"
#include "harness/generator/mutate.hpp"
#include "harness/generator/random.hpp"
#include "harness/interpreter/implementation.hpp"

namespace scopecheck::fuzz {
namespace {

using scenario::Scenario;

void check_well_formed(const Scenario& scenario, const scenario::Offers& offers,
                       const scenario::Bounds& bounds) {
  SCOPECHECK_ASSERT(scenario::check(scenario, offers).has_value());
  SCOPECHECK_ASSERT(scenario.cost() <= bounds.ops);
  std::vector<std::uint8_t> written;
  generator::write_input(scenario, written);
  SCOPECHECK_ASSERT(generator::read_input(written, offers, bounds) == scenario);
}

}  // namespace

void check_byte_forms(std::span<const std::uint8_t> bytes) {
  const auto& plugins = abi::registered();
  if (bytes.size() < 2 || plugins.empty()) return;
  const scenario::Offers offers = interpreter::offers_of({plugins[bytes[0] % plugins.size()], 0},
                                                         static_cast<scenario::Discipline>(bytes[1] / 4 % 3));
  const scenario::Bounds bounds = generator::random_bounds();
  const std::span<const std::uint8_t> rest = bytes.subspan(2);
  switch (bytes[1] % 4) {
    case 0: {
      const Scenario decoded = generator::decode(rest, offers, bounds);
      check_well_formed(decoded, offers, bounds);
      const auto encoded = generator::encode(decoded, offers, bounds);
      SCOPECHECK_ASSERT(encoded && generator::decode(*encoded, offers, bounds) == decoded);
      break;
    }
    case 1:
      check_well_formed(generator::read_input(rest, offers, bounds), offers, bounds);
      break;
    default: {
      generator::Mutator mutator(offers, bounds);
      const std::size_t half = rest.size() / 2;
      const Scenario a = generator::read_input(rest.first(half), offers, bounds);
      const Scenario b = generator::read_input(rest.subspan(half), offers, bounds);
      for (std::uint64_t seed = 0; seed < 4; ++seed) {
        check_well_formed(mutator.mutate(a, seed + bytes[1]), offers, bounds);
        check_well_formed(mutator.cross(a, b, seed + bytes[1]), offers, bounds);
      }
      break;
    }
  }
}

}  // namespace scopecheck::fuzz

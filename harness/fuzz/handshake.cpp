#include "harness/fuzz/handshake.hpp"

#include "harness/base/assert.hpp"
#include "harness/generator/random.hpp"
#include "harness/interpreter/implementation.hpp"
#include "harness/ledger/ledger.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace scopecheck::fuzz {
namespace {

constexpr std::size_t array_length = 3;

/// Reads numbers and decisions; at the end of the bytes everything is 0.
class Bytes {
 public:
  explicit Bytes(std::span<const std::uint8_t> bytes) : rest_(bytes) {}
  std::uint8_t next() {
    if (rest_.empty()) return 0;
    const std::uint8_t byte = rest_.front();
    rest_ = rest_.subspan(1);
    return byte;
  }
  bool yes() { return (next() & 1) != 0; }

 private:
  std::span<const std::uint8_t> rest_;
};

constexpr char long_name[] =
    "a_name_that_is_longer_than_what_fits_into_the_field_for_names_of_implementations";
const char* any_text(Bytes& bytes) {
  switch (bytes.next() % 4) {
    case 0:
      return nullptr;
    case 1:
      return "";
    case 2:
      return "name";
    default:
      return long_name;
  }
}

}  // namespace

void check_handshake(std::span<const std::uint8_t> data) {
  Bytes bytes(data);
  scopecheck_plugin p{};
  // Every number of the table first; what is a pointer is written over below.
  std::array<std::uint8_t, sizeof p> image{};
  std::ranges::generate(image, [&] { return bytes.next(); });
  std::memcpy(&p, image.data(), sizeof p);
  if (bytes.yes()) p.struct_size = sizeof p;
  if (bytes.yes()) p.abi_major = SCOPECHECK_ABI_MAJOR;
  for (const char** text : {&p.name, &p.summary, &p.version, &p.build}) *text = any_text(bytes);

  std::array<scopecheck_flavour, array_length> flavours{};
  for (scopecheck_flavour& flavour : flavours) flavour = {any_text(bytes), any_text(bytes)};
  std::array<scopecheck_evidence, array_length> evidence{};
  for (scopecheck_evidence& e : evidence) e = {std::uint64_t{1} << (bytes.next() % 64), any_text(bytes)};
  std::array<scopecheck_precondition, array_length> preconditions{};
  for (scopecheck_precondition& c : preconditions) c = {bytes.next() % 8u, 0, any_text(bytes)};
  std::array<scopecheck_expectation, array_length> expectations{};
  for (scopecheck_expectation& e : expectations)
    e = {any_text(bytes), bytes.next() % 4u, bytes.next() % 4u, any_text(bytes)};
  p.flavours = bytes.yes() ? flavours.data() : nullptr;
  p.evidence = bytes.yes() ? evidence.data() : nullptr;
  p.preconditions = bytes.yes() ? preconditions.data() : nullptr;
  p.expectations = bytes.yes() ? expectations.data() : nullptr;
  for (std::uint32_t* count :
       {&p.flavour_count, &p.evidence_count, &p.precondition_count, &p.expectation_count})
    *count = bytes.next() % (array_length + 1);  // a count that lies about its array is beyond any check
  for (std::uint32_t* number : {&p.shape, &p.carrier, &p.child_kind, &p.progress, &p.on_destroy,
                                &p.move_scope, &p.move_handle, &p.move_join})
    *number = bytes.next() % 10;
  for (std::uint32_t* size : {&p.scope_size, &p.handle_size, &p.join_size}) *size = bytes.next() * 17u;
  for (std::uint32_t* align : {&p.scope_align, &p.handle_align, &p.join_align}) *align = bytes.next() % 130u;

  // All function pointers, from the first to the last member: never called by a load.
  constexpr std::size_t first = offsetof(scopecheck_plugin, rt_new);
  static_assert((sizeof p - first) % sizeof(void*) == 0);
  const auto something = reinterpret_cast<std::uintptr_t>(&check_handshake);
  for (std::size_t at = first; at < sizeof p; at += sizeof(void*)) {
    const std::uintptr_t pointer = bytes.yes() ? something : 0;
    std::memcpy(reinterpret_cast<std::byte*>(&p) + at, &pointer, sizeof pointer);
  }

  if (const auto valid = interpreter::validate(p); !valid) {
    SCOPECHECK_ASSERT(!valid.error().empty());
    return;
  }
  for (const scenario::Discipline discipline :
       {scenario::Discipline::safe, scenario::Discipline::documented, scenario::Discipline::no_leak}) {
    const scenario::Offers offers = interpreter::offers_of({&p, 0}, discipline);
    static_cast<void>(ledger::reachable_goals(offers));
    for (std::uint32_t flavour = 0; flavour < p.flavour_count; ++flavour)
      static_cast<void>(interpreter::expects_unsound(p, flavour, discipline));
    generator::Random random(offers, generator::random_bounds(), 1);
    for (int i = 0; i < 4; ++i) SCOPECHECK_ASSERT(scenario::check(random.next(), offers).has_value());
  }
}

}  // namespace scopecheck::fuzz

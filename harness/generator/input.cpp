#include "harness/generator/input.hpp"

#include "harness/generator/random.hpp"
#include "harness/scenario/text.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace scopecheck::generator {

using scenario::Op;
using scenario::OpKind;

namespace {

constexpr std::size_t record_size = 8;

struct Codes {
  std::array<std::uint8_t, scenario::op_kinds> of{};
  std::array<std::uint8_t, 256> kind_at{};  // every byte stands for some kind: the next one with a code
};

consteval Codes make_codes() {
  Codes codes;
  std::array<bool, 256> taken{};
  taken['#'] = true;
  codes.of[0] = 0;  // `end`: missing bytes read as 0
  taken[0] = true;
  for (std::size_t kind = 1; kind < scenario::op_kinds; ++kind) {
    std::uint32_t hash = 0x811c9dc5u;  // FNV-1a
    for (const char c : scenario::op_table[kind].id)
      hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x01000193u;
    std::size_t at = (hash ^ hash >> 8 ^ hash >> 16) % 256;
    while (taken[at]) at = (at + 1) % 256;
    taken[at] = true;
    codes.of[kind] = static_cast<std::uint8_t>(at);
    codes.kind_at[at] = static_cast<std::uint8_t>(kind);
  }
  for (std::size_t i = 511; i-- > 0;)  // twice around: what is above the last code belongs to the first
    if (!taken[i % 256] || i % 256 == '#') codes.kind_at[i % 256] = codes.kind_at[(i + 1) % 256];
  return codes;
}
constexpr Codes codes = make_codes();

using Record = std::array<std::uint8_t, record_size>;

Op op_of(std::span<const std::uint8_t, record_size> bytes) {
  Record record;
  std::memcpy(record.data(), bytes.data(), record_size);
  return {.kind = static_cast<OpKind>(codes.kind_at[record[0]]),
          .subject = record[1],
          .scope = record[2],
          .value = record[3],
          .shared = record[4],
          .mut = record[5],
          .boxed = (record[6] & 1) != 0,
          .extra = record[7]};
}

}  // namespace

scenario::Bounds input_bounds() { return random_bounds(); }

std::uint8_t code_of(OpKind kind) { return codes.of[static_cast<std::size_t>(kind)]; }

scenario::Scenario read_input(std::span<const std::uint8_t> bytes, const scenario::Offers& offers,
                              const scenario::Bounds& bounds) {
  if (!bytes.empty() && bytes[0] == '#') {
    const auto parsed =
        scenario::parse(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    return parsed ? mend(parsed->scenario.ops, offers, bounds) : scenario::Scenario{};
  }
  Mender mender(offers, bounds);
  bytes = bytes.first(std::min(bytes.size(), record_size * 2 * scenario::max_ops));
  for (; bytes.size() >= record_size; bytes = bytes.subspan(record_size))
    mender.take(op_of(bytes.first<record_size>()));
  if (!bytes.empty()) {
    std::array<std::uint8_t, record_size> padded{};
    std::ranges::copy(bytes, padded.begin());
    mender.take(op_of(padded));
  }
  return mender.finish();
}

void write_input(const scenario::Scenario& scenario, std::vector<std::uint8_t>& bytes) {
  bytes.resize(scenario.ops.size() * record_size);
  std::uint8_t* at = bytes.data();
  for (const Op& op : scenario.ops) {
    const Record record{code_of(op.kind),
                        op.subject,
                        op.scope,
                        op.value,
                        op.shared,
                        op.mut,
                        static_cast<std::uint8_t>(op.boxed ? 1 : 0),
                        op.extra};
    std::memcpy(at, record.data(), record_size);
    at += record_size;
  }
}

}  // namespace scopecheck::generator

// How the tests of the cuts name what was found.
//
// Compared are signatures with the number of ops of their shortest scenario. Of what the cuts leave out by
// design each signature is first given the name that the kept twin has:
//   a read through a loan              -> a write through it            (cut 1)
//   `drop v` as the last op of a block -> the end of the block          (cut 15)
//   `throw bomb` of the client         -> `throw`                       (cut 20)
// What only a sanitizer sees is compared by its kind.
#pragma once

#include "harness/verdict/finding.hpp"

#include <cstddef>
#include <map>
#include <string>

namespace scopecheck::tests {

inline void rename(verdict::Cause& cause, scenario::OpKind& op) {
  if (cause != verdict::Cause::op) return;
  if (op == scenario::OpKind::throw_bomb) op = scenario::OpKind::throw_;
  if (op == scenario::OpKind::drop) {
    cause = verdict::Cause::frame_end;
    op = {};
  }
}

inline std::string name_of_kept_twin(verdict::Signature signature) {
  // what a sanitizer alone sees is named after the events around it, which are not the finding
  if (signature.kind == verdict::FindingKind::bookkeeping_after_scope ||
      signature.kind == verdict::FindingKind::wake_after_free)
    return std::string(verdict::info(signature.kind).text);
  rename(signature.released_by, signature.released_op);
  rename(signature.ended_by, signature.ended_op);
  if (signature.used_by == ledger::EventKind::touched_read)
    signature.used_by = ledger::EventKind::touched_write;
  return to_string(signature);
}

/// For each signature, the ops of its shortest scenario.
using Shortest = std::map<std::string, std::size_t>;

}  // namespace scopecheck::tests

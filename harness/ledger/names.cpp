#include "harness/ledger/names.hpp"

#include <algorithm>

namespace scopecheck::ledger {

std::string name(EventKind kind) {
  std::string word(info(kind).id);
  std::ranges::replace(word, '_', '-');
  return word;
}

}  // namespace scopecheck::ledger

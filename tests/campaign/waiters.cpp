// The scopes of tests/support/waiting.hpp, for runners to find.
#include "harness/abi/registry.hpp"
#include "tests/support/waiting.hpp"

namespace scopecheck::tests {
namespace {

using WaitsTimed = Waiting<TimedWait>;
using WaitsSpinning = Waiting<Spin>;
SCOPECHECK_REGISTER(WaitsTimed);
SCOPECHECK_REGISTER(WaitsSpinning);

}  // namespace
}  // namespace scopecheck::tests

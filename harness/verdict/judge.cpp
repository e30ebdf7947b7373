#include "harness/verdict/oracles.hpp"

namespace scopecheck::verdict {

void judge(const Evidence& evidence, Findings& findings) {
  findings.clear();
  if (evidence.alarms == 0) return;
  if ((evidence.alarms & ledger::alarm_touch) != 0) late_use(evidence, findings);
  if ((evidence.alarms &
       (ledger::alarm_step | ledger::alarm_drop | ledger::alarm_never | ledger::alarm_object)) != 0)
    child_protocol(evidence, findings);
  if ((evidence.alarms & (ledger::alarm_join | ledger::alarm_wake)) != 0) contract(evidence, findings);
  if ((evidence.alarms & ledger::alarm_scribble) != 0) scribble(evidence, findings);
}

}  // namespace scopecheck::verdict

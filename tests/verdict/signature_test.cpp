// Signatures have a text that reads back; it is what corpora and expectations are compared by.
#include "harness/verdict/finding.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <string>

namespace scopecheck::verdict {
namespace {

using ledger::EventKind;
using scenario::OpKind;

TEST(Signature, reads_as_kind_what_released_what_ended_and_what_used) {
  const Signature signature{.kind = FindingKind::use_after_scope,
                            .released_by = Cause::op,
                            .released_op = OpKind::forget,
                            .ended_by = Cause::frame_end,
                            .used_by = EventKind::touched_write};
  EXPECT_EQ(to_string(signature), "use-after-scope(forget, frame-end, write)");
  EXPECT_EQ(parse_signature("use-after-scope(forget, frame-end, write)"), signature);
}

TEST(Signature, of_every_kind_and_every_cause_reads_back) {
  std::set<std::string> texts;
  for (std::size_t kind = 0; kind < kind_table.size(); ++kind)
    for (const Cause cause :
         {Cause::nothing, Cause::op, Cause::frame_end, Cause::final_settle, Cause::runtime_end})
      for (std::size_t op = 0; op < (cause == Cause::op ? scenario::op_kinds : 1); ++op) {
        Signature signature{.kind = static_cast<FindingKind>(kind), .used_by = EventKind::stepped};
        signature.released_by = signature.ended_by = cause;
        if (cause == Cause::op) signature.released_op = signature.ended_op = static_cast<OpKind>(op);
        const std::string text = to_string(signature);
        EXPECT_TRUE(texts.insert(text).second) << text << " stands for two";
        EXPECT_EQ(parse_signature(text), signature) << text;
      }
}

RC_GTEST_PROP(SignatureProperty, text_reads_back, ()) {
  const auto below = [](std::size_t bound) { return *rc::gen::inRange<std::size_t>(0, bound); };
  Signature signature;
  signature.kind = static_cast<FindingKind>(below(kind_table.size()));
  signature.used_by = static_cast<EventKind>(below(ledger::event_kinds));
  signature.released_by = static_cast<Cause>(below(5));
  signature.ended_by = static_cast<Cause>(below(5));
  if (signature.released_by == Cause::op)
    signature.released_op = static_cast<OpKind>(below(scenario::op_kinds));
  if (signature.ended_by == Cause::op) signature.ended_op = static_cast<OpKind>(below(scenario::op_kinds));
  RC_ASSERT((parse_signature(to_string(signature)) == signature));
}

TEST(Signature, is_nothing_for_other_texts) {
  for (const char* const text :
       {"", "use-after-scope", "use-after-scope()", "use-after-scope(forget, frame-end)",
        "use-after-scope(forget, frame-end, write", "use-after-scope(forget, frame-end, write, -)",
        "use-after-scop(forget, frame-end, touched_write)", "use-after-scope(forgot, frame-end, write)",
        "use-after-scope(forget, frame end, write)", "use-after-scope(forget, frame-end, touched)",
        "use-after-scope(forget,frame-end,write)", " use-after-scope(forget, frame-end, write)"})
    EXPECT_EQ(parse_signature(text), std::nullopt) << text;
}

RC_GTEST_PROP(SignatureProperty, hostile_text_is_answered, (const std::string& text)) {
  if (const auto parsed = parse_signature(text)) RC_ASSERT(to_string(*parsed) == text);
}

RC_GTEST_PROP(SignatureProperty, a_text_with_one_letter_changed_is_not_the_same_signature, ()) {
  const std::string text = "use-after-scope(forget, frame-end, write)";
  const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
  const auto letter = *rc::gen::arbitrary<char>();
  std::string changed = text;
  changed[at] = letter;
  RC_PRE(changed != text);
  const bool same = parse_signature(changed) == parse_signature(text);
  RC_ASSERT(!same);
}

TEST(Kinds, have_distinct_texts_and_only_memory_kinds_end_storage) {
  std::set<std::string_view> texts;
  for (const KindInfo& kind : kind_table) {
    EXPECT_TRUE(texts.insert(kind.text).second) << kind.text;
    if (kind.ends_storage) EXPECT_TRUE(kind.memory) << kind.text;
    if (kind.asan_confirms) EXPECT_TRUE(kind.ends_storage) << kind.text;
  }
}

}  // namespace
}  // namespace scopecheck::verdict

#include "harness/abi/registry.hpp"

#include "harness/abi/names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace scopecheck::abi {
namespace {

TEST(Registry, refuses_two_implementations_of_one_name_and_says_which) {
  ASSERT_TRUE(names_are_unique()) << names_are_unique().error();
  static scopecheck_plugin twin = *find_registered("heap_spawn");
  twin.summary = "the twin";
  const Registrar registered_twice(twin);
  const auto unique = names_are_unique();
  ASSERT_FALSE(unique);
  EXPECT_THAT(unique.error(), testing::HasSubstr("two implementations are called 'heap_spawn'"));
  EXPECT_THAT(unique.error(), testing::HasSubstr("the twin"));
}

}  // namespace
}  // namespace scopecheck::abi

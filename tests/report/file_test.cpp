// What is asked before long work whose result is to be written.
#include "harness/report/file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <unistd.h>

namespace scopecheck::report {
namespace {

TEST(MayWrite, says_what_write_file_would_say_and_changes_nothing) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("may-write-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  const std::string fresh = (folder / "new.json").string();
  const std::string nowhere = (folder / "no" / "new.json").string();
  EXPECT_TRUE(may_write(fresh));
  EXPECT_FALSE(std::filesystem::exists(fresh));
  ASSERT_TRUE(write_file(fresh, "whole"));
  EXPECT_TRUE(may_write(fresh));
  EXPECT_TRUE(may_write("/dev/stdout"));
  for (const std::string& path : {nowhere, folder.string(), std::string()}) {
    const auto asked = may_write(path);
    const auto written = write_file(path, "");
    ASSERT_FALSE(asked) << path;
    ASSERT_FALSE(written) << path;
    if (path == nowhere) EXPECT_EQ(asked.error(), written.error());
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace scopecheck::report

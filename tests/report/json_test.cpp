#include "harness/report/json.hpp"

#include "tests/report/results.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace scopecheck::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class JsonFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "scopecheck-json-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }
  static std::string content(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  fs::path folder_;
};

TEST(Json, has_every_promised_field_with_its_type) {
  const json document = json::parse(to_json(some_results()));
  EXPECT_EQ(document.at("schema"), 1);
  ASSERT_EQ(document.at("results").size(), 4u);
  for (const json& result : document.at("results")) {
    for (const char* field : {"implementation", "flavour", "discipline", "verdict"})
      EXPECT_TRUE(result.at(field).is_string());
    for (const char* field : {"exhaustive_ops", "exhaustive_scenarios", "random_scenarios"})
      EXPECT_TRUE(result.at("effort").at(field).is_number_unsigned());
    EXPECT_TRUE(result.at("effort").at("seconds").is_number());
    EXPECT_TRUE(result.at("reach").is_object());
    for (const char* field : {"clean", "hang", "hang-suspected", "fail-stop", "discard"})
      EXPECT_TRUE(result.at("outcomes").at(field).is_number_unsigned());
    ASSERT_TRUE(result.at("findings").is_array());
    for (const json& finding : result.at("findings")) {
      for (const char* field : {"kind", "signature", "scenario", "reproduce"})
        EXPECT_TRUE(finding.at(field).is_string());
      EXPECT_TRUE(finding.at("ops").is_number_unsigned());
      EXPECT_TRUE(finding.at("found_after_scenarios").is_number_unsigned());
      EXPECT_TRUE(finding.at("found_after_seconds").is_number());
      EXPECT_EQ(finding.at("confirmed_by"), json({"ledger", "asan"}));
    }
  }
}

TEST(Json, carries_the_values) {
  const json document = json::parse(to_json(some_results()));
  const json& unsound = document["results"][0];
  EXPECT_EQ(unsound["verdict"], "unsound");
  EXPECT_EQ(unsound["as_expected"], true);
  EXPECT_EQ(unsound["reach"]["forget"], 40);
  EXPECT_EQ(unsound["outcomes"]["hang-suspected"], 3);
  EXPECT_EQ(unsound["effort"]["exhaustive_scenarios"], 12345);
  EXPECT_EQ(unsound["findings"][1]["scenario"], unsound_result().findings[1].scenario);
  EXPECT_EQ(unsound["findings"][1]["headline"], true);
  EXPECT_EQ(unsound["trilemma"]["parallelizability"], "spawn t0 {\n} as h0\nstep t0\n");
  EXPECT_EQ(unsound["trilemma"]["scenarios"], 99);
  EXPECT_EQ(document["results"][1]["trilemma"], json({{"concurrency", "poll s0\n"},
                                                      {"parallelizability", nullptr},
                                                      {"borrowing", "write x\n"},
                                                      {"scenarios", 100}}));
  EXPECT_TRUE(document["results"][3]["trilemma"].is_null()) << "not measured";
  EXPECT_EQ(document["results"][1]["verdict"], "not-refuted");
  EXPECT_EQ(document["results"][2]["as_expected"], false);
  EXPECT_TRUE(document["results"][3]["as_expected"].is_null());
  EXPECT_EQ(document["results"][3]["unmet_goals"], json({"block_stalled", "late_wake"}));
}

TEST(Json, keeps_fields_and_reach_in_order) {
  const std::string text = to_json(some_results());
  EXPECT_LT(text.find("\"schema\""), text.find("\"results\""));
  EXPECT_LT(text.find("\"implementation\""), text.find("\"flavour\""));
  EXPECT_LT(text.find("\"spawn\": 300"), text.find("\"forget\": 40"));
  EXPECT_TRUE(text.ends_with("}\n"));
}

TEST(Json, is_valid_for_bytes_that_are_not_text_and_for_times_that_are_none) {
  Result result = unsound_result();
  result.findings[0].sanitizer_report = "\xff\xfe\x01\"\\ broken";
  result.effort.seconds = std::numeric_limits<double>::infinity();
  result.findings[0].found_after_seconds = std::nan("");
  const json document = json::parse(to_json(std::vector{result}));
  EXPECT_EQ(document["results"][0]["effort"]["seconds"], 0.0);
  EXPECT_EQ(json::parse(to_json({}))["results"], json::array());
}

TEST(Json, verdicts_have_words_that_parse) {
  for (const auto word : verdict_names) EXPECT_EQ(to_string(parse_verdict(word).value()), word);
  EXPECT_FALSE(parse_verdict("sound"));
}

TEST_F(JsonFile, is_written_whole_and_replaces_the_old_one) {
  const fs::path path = folder_ / "out.json";
  std::ofstream(path) << "old";
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  ASSERT_TRUE(write_json(path.string(), some_results()));
  EXPECT_EQ(content(path), to_json(some_results()));
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(files(), 1u);
}

TEST_F(JsonFile, follows_a_symbolic_link) {
  std::ofstream(folder_ / "real.json") << "old";
  fs::create_symlink("real.json", folder_ / "link.json");
  ASSERT_TRUE(write_json((folder_ / "link.json").string(), {}));
  EXPECT_TRUE(fs::is_symlink(folder_ / "link.json"));
  EXPECT_EQ(content(folder_ / "real.json"), to_json({}));
}

TEST_F(JsonFile, says_why_it_cannot_be_written) {
  const auto missing = write_json((folder_ / "no" / "out.json").string(), {});
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().find("out.json: No such file or directory"), std::string::npos)
      << missing.error();
  const auto a_folder = write_json(folder_.string(), {});
  ASSERT_FALSE(a_folder);
  EXPECT_NE(a_folder.error().find("Is a directory"), std::string::npos) << a_folder.error();
  EXPECT_FALSE(write_json("", {}));
  EXPECT_EQ(files(), 0u);
}

TEST_F(JsonFile, notices_a_full_disk) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  const auto full = write_json("/dev/full", some_results());
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error(), "cannot write /dev/full: No space left on device");
}

}  // namespace
}  // namespace scopecheck::report

#include "harness/report/json.hpp"

#include "harness/report/file.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace scopecheck::report {
namespace {

using Json = nlohmann::ordered_json;

/// JSON has no word for infinity; a duration that is none is 0, so that the field stays a number.
double number(double value) { return std::isfinite(value) ? value : 0.0; }

Json finding_json(const Counterexample& finding) {
  Json json;
  json["kind"] = finding.kind;
  json["signature"] = finding.signature;
  json["scenario"] = finding.scenario;
  json["ops"] = finding.ops;
  json["found_after_scenarios"] = finding.found_after_scenarios;
  json["found_after_seconds"] = number(finding.found_after_seconds);
  json["confirmed_by"] = finding.confirmed_by;
  json["reproduce"] = finding.reproduce;
  json["headline"] = finding.is_headline;
  json["sanitizer_report"] = finding.sanitizer_report;
  return json;
}

Json trilemma_json(const Trilemma& trilemma) {
  Json json;
  for (std::size_t i = 0; i < verdict::letters; ++i) {
    const std::string& example = trilemma.examples[i];
    json[std::string(verdict::letter_table[i].id)] = example.empty() ? Json(nullptr) : Json(example);
  }
  json["scenarios"] = trilemma.scenarios;
  return json;
}

Json result_json(const Result& result) {
  Json json;
  json["implementation"] = result.implementation;
  json["flavour"] = result.flavour;
  json["discipline"] = result.discipline;
  json["verdict"] = to_string(result.verdict);
  json["why"] = result.why;
  json["expected"] = result.expected ? Json(to_string(*result.expected)) : Json(nullptr);
  json["as_expected"] = result.expected ? Json(*result.as_expected()) : Json(nullptr);
  json["trilemma"] = result.trilemma ? trilemma_json(*result.trilemma) : Json(nullptr);
  json["effort"] = {{"exhaustive_ops", result.effort.exhaustive_ops},
                    {"exhaustive_scenarios", result.effort.exhaustive_scenarios},
                    {"witness_scenarios", result.effort.witness_scenarios},
                    {"tsan_scenarios", result.effort.tsan_scenarios},
                    {"random_scenarios", result.effort.random_scenarios},
                    {"stress_runs", result.effort.stress_runs},
                    {"seconds", number(result.effort.seconds)}};
  Json& by_witness = json["effort"]["stress_by_witness"] = Json::object();
  for (const auto& [witness, runs] : result.effort.stress_by_witness) by_witness[witness] = runs;
  json["reach"] = Json::object();
  for (const auto& [name, count] : result.reach) json["reach"][name] = count;
  json["outcomes"] = {{"clean", result.outcomes.clean},
                      {"hang", result.outcomes.hang},
                      {"hang-suspected", result.outcomes.hang_suspected},
                      {"fail-stop", result.outcomes.fail_stop},
                      {"discard", result.outcomes.discard},
                      {"crash", result.outcomes.crash}};
  json["outcome_examples"] = Json::array();
  for (const OutcomeExample& example : result.outcome_examples)
    json["outcome_examples"].push_back({{"outcome", example.outcome},
                                        {"scenario", example.scenario},
                                        {"where", example.where},
                                        {"waiter", example.waiter}});
  json["unmet_goals"] = result.unmet_goals;
  json["notes"] = result.notes;
  json["bounds"] = result.bounds;
  json["build"] = result.build;
  json["seed"] = result.seed;
  json["findings"] = Json::array();
  for (const Counterexample& finding : result.findings) json["findings"].push_back(finding_json(finding));
  return json;
}

}  // namespace

std::string to_json(std::span<const Result> results, bool interrupted) {
  Json document;
  document["schema"] = 1;
  document["interrupted"] = interrupted;
  document["results"] = Json::array();
  for (const Result& result : results) document["results"].push_back(result_json(result));
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::expected<void, std::string> write_json(const std::string& path, std::span<const Result> results,
                                            bool interrupted) {
  return write_file(path, to_json(results, interrupted));
}

}  // namespace scopecheck::report

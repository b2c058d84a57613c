// The tests of the kit, a file for each group.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/plugin_check/subject.h"

namespace ckptbridge::plugin_check {

struct TestCase {
  std::string name;             // "group/what_is_true_of_a_good_plugin"
  std::optional<Role> role;     // for plugins with this role only
  void (*run)(const Subject&);  // returns: passed; throws Failed, Skipped, or Error (failed)
  // Tests without whose success this one can say nothing: one mistake is one failure.
  std::vector<std::string> after = {};
};

inline constexpr char kIsTheManifests[] = "entry/id_version_and_roles_are_the_manifest's";
inline constexpr char kReadsTheSample[] = "reader/reads_the_sample";
inline constexpr char kAccountsForAll[] = "reader/uses_or_drops_each_byte_that_it_declares";
inline constexpr char kFillsEachFile[] = "writer/fills_each_file_without_holes_or_overlaps";

std::vector<TestCase> package_tests();
std::vector<TestCase> entry_tests();
std::vector<TestCase> error_tests();
std::vector<TestCase> reader_tests();
std::vector<TestCase> transform_tests();
std::vector<TestCase> writer_tests();
std::vector<TestCase> limit_tests();

}  // namespace ckptbridge::plugin_check

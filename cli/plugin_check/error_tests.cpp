// Bad inputs and bad options: a status and a message, never a crash, and nothing left behind.
#include <algorithm>
#include <random>

#include <boost/filesystem/fstream.hpp>
#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/plugin_check/folder_state.h"
#include "cli/plugin_check/loaded.h"
#include "cli/plugin_check/sample_copy.h"
#include "cli/plugin_check/scratch_folder.h"
#include "cli/plugin_check/tests.h"
#include "core/plugin_host/host.h"

namespace ckptbridge::plugin_check {
namespace {

namespace fs = boost::filesystem;

// The plugin must refuse the input at path, for a reason that names it (or a file in it).
void require_refusal(const Subject& subject, const fs::path& path, bool named) {
  try {
    read_with(subject, path);
  } catch (const Error& error) {
    const std::string message = error.what();
    if (error.code() == CKB_INTERNAL) {
      throw Failed(fmt::format("reports a bug of its own: {}", message));
    }
    if (named && message.find(path.filename().string()) == std::string::npos) {
      throw Failed(
          fmt::format("the message does not name {}: {}", path.filename().string(), message));
    }
    return;
  }
  throw Failed("was read without an error");
}

void write(const fs::path& file, const std::string& text) {
  fs::ofstream(file, std::ios::binary) << text;
}

// A name that the reader's patterns fit.
std::string fitting_name(const Subject& subject) {
  std::string name = subject.manifest.matches.empty() ? "input" : subject.manifest.matches.front();
  std::replace(name.begin(), name.end(), '*', '0');
  std::replace(name.begin(), name.end(), '?', '0');
  return name;
}

void missing_path(const Subject& subject) {
  const ScratchFolder folder;
  require_refusal(subject, folder.path() / "no-such-checkpoint", true);
}

void empty_folder(const Subject& subject) {
  const ScratchFolder folder;
  fs::create_directory(folder.path() / "empty-checkpoint");
  require_refusal(subject, folder.path() / "empty-checkpoint", true);
}

void empty_file(const Subject& subject) {
  const ScratchFolder folder;
  const fs::path file = folder.path() / fitting_name(subject);
  write(file, "");
  require_refusal(subject, file, true);
}

void random_bytes(const Subject& subject) {
  const ScratchFolder folder;
  std::mt19937 random(1);  // the same bytes each time
  std::string bytes(100'000, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  const fs::path file = folder.path() / fitting_name(subject);
  write(file, bytes);
  require_refusal(subject, file, true);
  fs::create_directory(folder.path() / "checkpoint");
  fs::rename(file, folder.path() / "checkpoint" / file.filename());
  require_refusal(subject, folder.path() / "checkpoint", false);
}

void truncated_sample(const Subject& subject) {
  const ScratchFolder folder;
  const SampleCopy copy(subject, folder.path());
  if (copy.largest.empty()) throw Skipped("the sample has no file");
  fs::resize_file(copy.largest, fs::file_size(copy.largest) / 2);
  require_refusal(subject, copy.path, false);
}

void leaves_nothing(const Subject& subject) {
  const ScratchFolder folder;
  const SampleCopy copy(subject, folder.path());
  if (!copy.largest.empty()) fs::resize_file(copy.largest, fs::file_size(copy.largest) / 2);
  const auto before = state_of_folder(folder.path());
  try {
    read_with(subject, copy.path);
  } catch (const Error&) {
    // Whether it must be refused is another test's question.
  }
  if (state_of_folder(folder.path()) != before)
    throw Failed("changed its input, or wrote beside it");
}

// Opens every role that the plugin has with these options, which no manifest admits.
void open_with(const Subject& subject, const char* options, bool must_fail) {
  const Host host({});
  const ckb_plugin& plugin = require_table(subject, host.table());
  const auto open = [&](const auto* table, const auto& call) {
    if (table == nullptr) return;
    int marker = 0;
    void* self = &marker;
    ckb_error error;
    const ckb_status status =
        call_guarded([&](ckb_error* e) { return call(*table, &self, e); }, error);
    if (status == CKB_OK) {
      table->close(self);
      if (must_fail) throw Failed(fmt::format("took the options {}", options));
      return;
    }
    if (error.message.empty()) throw Failed("gave a status without a message");
    if (self != &marker) throw Failed("failed, and set *self nevertheless");
  };
  open(plugin.reader, [&](const ckb_reader& t, void** self, ckb_error* e) {
    return t.open("/no/such", options, self, e);
  });
  open(plugin.transform,
       [&](const ckb_transform& t, void** self, ckb_error* e) { return t.open(options, self, e); });
  open(plugin.writer,
       [&](const ckb_writer& t, void** self, ckb_error* e) { return t.open(options, self, e); });
}

void options_that_are_no_json(const Subject& subject) {
  open_with(subject, "{\"a\": ", !subject.manifest.options.empty());
}

void unknown_option(const Subject& subject) {
  open_with(subject, R"({"no-such-option": [1, {"a": null}]})", false);
}

}  // namespace

std::vector<TestCase> error_tests() {
  const std::vector<std::string> after{kIsTheManifests};
  return {{"errors/a_missing_path_is_refused_by_name", Role::kReader, missing_path, after},
          {"errors/an_empty_folder_is_refused_by_name", Role::kReader, empty_folder, after},
          {"errors/an_empty_file_is_refused_by_name", Role::kReader, empty_file, after},
          {"errors/random_bytes_are_refused", Role::kReader, random_bytes, after},
          {"errors/a_truncated_sample_is_refused", Role::kReader, truncated_sample, after},
          {"errors/a_failed_read_leaves_nothing", Role::kReader, leaves_nothing, after},
          {"errors/options_that_are_no_json_are_refused", {}, options_that_are_no_json, after},
          {"errors/an_unknown_option_is_no_crash", {}, unknown_option, after}};
}

}  // namespace ckptbridge::plugin_check

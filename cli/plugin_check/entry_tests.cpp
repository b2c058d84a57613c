// The entry point and the tables that it returns, on hosts of several ages.
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "cli/plugin_check/loaded.h"
#include "cli/plugin_check/tests.h"
#include "core/plugin_host/host.h"
#include "core/plugin_host/loaded_plugin.h"

namespace ckptbridge::plugin_check {
namespace {

constexpr std::chrono::milliseconds kEntryLimit{100};

// A host's table of another size, and members behind today's that end the process when called.
class HostOfAnotherAge {
 public:
  HostOfAnotherAge(const ckb_host* today, std::size_t size)
      : bytes_(std::max(size, sizeof(ckb_host))) {
    std::memcpy(bytes_.data(), today, sizeof(ckb_host));
    for (std::size_t at = sizeof(ckb_host); at + sizeof(&std::abort) <= size;
         at += sizeof(&std::abort)) {
      const auto member = &std::abort;
      std::memcpy(bytes_.data() + at, &member, sizeof(member));
    }
    const auto said = static_cast<std::uint32_t>(size);
    std::memcpy(bytes_.data() + offsetof(ckb_host, struct_size), &said, sizeof(said));
    const std::uint32_t minor = size > sizeof(ckb_host) ? CKB_ABI_MINOR + 10 : 0;
    std::memcpy(bytes_.data() + offsetof(ckb_host, abi_minor), &minor, sizeof(minor));
  }
  const ckb_host* table() const { return reinterpret_cast<const ckb_host*>(bytes_.data()); }

 private:
  std::vector<std::byte> bytes_;  // from new: aligned for any member
};

constexpr std::size_t kSizeOfOnePointZero = offsetof(ckb_host, put_crc32) + sizeof(void*);

void returns_soon(const Subject& subject) {
  const Host host({});
  const ckb_entry entry = load_entry(subject.manifest.library_path());
  const auto begin = std::chrono::steady_clock::now();
  entry(host.table());
  const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  if (time > kEntryLimit) {
    throw Failed(
        fmt::format("took {} ms, at most {} are expected", time.count(), kEntryLimit.count()));
  }
}

void gives_the_same_table(const Subject& subject) {
  const Host host({});
  const ckb_plugin& first = require_table(subject, host.table());
  const ckb_plugin& second = require_table(subject, host.table());
  if (&first != &second || first.reader != second.reader || first.transform != second.transform ||
      first.writer != second.writer) {
    throw Failed("a second call gave other tables");
  }
}

void is_what_the_manifest_says(const Subject& subject) {
  const Host host({});
  Plugin(subject.manifest, host.table());
}

// The tables are complete, and errors still go through the host.
void answers(const Subject& subject, const ckb_host* host) {
  const ckb_plugin& plugin = require_table(subject, host);
  if (plugin.id == nullptr || subject.manifest.id != plugin.id) throw Failed("gives another id");
  void* const untouched = &const_cast<ckb_plugin&>(plugin);
  void* self = untouched;
  ckb_error error;
  const ckb_status status = call_guarded(
      [&](ckb_error* e) -> ckb_status {
        const char* options = "{";  // no JSON: whatever it says, it answers
        if (plugin.reader != nullptr) return plugin.reader->open("/no/such", options, &self, e);
        if (plugin.transform != nullptr) return plugin.transform->open(options, &self, e);
        if (plugin.writer != nullptr) return plugin.writer->open(options, &self, e);
        return CKB_OK;
      },
      error);
  if (status != CKB_OK && error.message.empty()) throw Failed("gave a status without a message");
}

void works_on_an_older_host(const Subject& subject) {
  const Host host({});
  answers(subject, HostOfAnotherAge(host.table(), kSizeOfOnePointZero).table());
}

void works_on_a_newer_host(const Subject& subject) {
  const Host host({});
  answers(subject, HostOfAnotherAge(host.table(), sizeof(ckb_host) + 10 * sizeof(void*)).table());
}

}  // namespace

std::vector<TestCase> entry_tests() {
  return {{"entry/returns_within_100_ms", {}, returns_soon},
          {"entry/gives_the_same_tables_each_time", {}, gives_the_same_table},
          {kIsTheManifests, {}, is_what_the_manifest_says},
          {"entry/works_on_a_host_of_abi_1.0", {}, works_on_an_older_host, {kIsTheManifests}},
          {"entry/works_on_a_host_with_ten_more_members",
           {},
           works_on_a_newer_host,
           {kIsTheManifests}}};
}

}  // namespace ckptbridge::plugin_check

#include "cli/plugin_check/subject.h"

#include <cstdlib>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/pipeline.h"
#include "core/plugin_host/search_path.h"
#include "core/text/json_object.h"

namespace ckptbridge::plugin_check {
namespace {

namespace fs = boost::filesystem;

Registry registry_around(const fs::path& manifest, const fs::path& program) {
  if (!fs::is_regular_file(manifest)) {
    throw Error(CKB_NOT_FOUND, fmt::format("{}: there is no such manifest", manifest.string()));
  }
  return Registry(make_search_path(
      {manifest.parent_path().string()}, [](const char* name) { return std::getenv(name); },
      program, geteuid()));
}

ReadSettings settings_for(bool cancelled) {
  ReadSettings settings;
  settings.feedback.cancelled = [cancelled] { return cancelled; };
  return settings;
}

}  // namespace

Subject::Subject(const fs::path& manifest_path, const fs::path& program)
    : path(fs::absolute(manifest_path)),
      registry(registry_around(path, program)),
      manifest(registry.require(path.stem().string())) {
  if (manifest.path != path) {
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("{} comes before {}", manifest.path.string(), path.string()));
  }
}

const fs::path& require_sample(const Subject& subject) {
  if (subject.sample.empty()) throw Skipped("needs --sample");
  return subject.sample;
}

std::string own_options(const Subject& subject) {
  const auto given = options_for(subject.manifest, subject.options);
  for (const OptionSpec& option : subject.manifest.options) {
    if (option.required && !option_value(subject.manifest, option.name, given)) {
      throw Skipped(fmt::format("needs --option {}=…", option.name));
    }
  }
  return options_json(subject.manifest, given, fs::current_path());
}

Checkpoint read_with(const Subject& subject, const fs::path& input, bool cancelled) {
  own_options(subject);
  const Manifest& manifest = subject.manifest;
  return open_checkpoint(
      subject.registry,
      {input, fs::current_path(), manifest.id, "", options_for(manifest, subject.options)},
      settings_for(cancelled));
}

Checkpoint read_by_any(const Subject& subject, const fs::path& input) {
  return open_checkpoint(subject.registry, input_of(request_for(subject, input)),
                         settings_for(false));
}

Request request_for(const Subject& subject, const fs::path& input) {
  Request request;
  request.input = input;
  request.folder = fs::current_path();
  request.options = subject.options;
  if (subject.manifest.has(Role::kWriter)) request.to = subject.manifest.format;
  return request;
}

Conversion planned(const Subject& subject, const fs::path& input, bool cancelled) {
  return prepare(subject.registry, request_for(subject, input),
                 {.reading = settings_for(cancelled)});
}

}  // namespace ckptbridge::plugin_check

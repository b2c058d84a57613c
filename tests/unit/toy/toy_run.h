// Runs the whole pipeline over toy plugins, from files that a test spells out.
#pragma once

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <boost/filesystem.hpp>

#include "ckptbridge/error.hpp"
#include "core/pipeline.h"
#include "core/plugin_host/search_path.h"
#include "core/text/json.h"
#include "core/verify.h"
#include "tests/paths.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge {

class ToyRun {
 public:
  struct Done : Conversion {
    Outcome outcome = {};
  };

  // with_compute: there is a plugin that computes, too. more: a folder of further plugins.
  explicit ToyRun(bool with_compute = false, const std::string& more = "")
      : registry_(plugins(with_compute, more)) {
    toy_ = {{"storages", Json::array()}, {"tensors", Json::array()}};
  }

  // Adds a file of these elements, and declares all of it as one storage.
  template <class T>
  ToyRun& file(const std::string& name, const std::vector<T>& elements, bool declare = true) {
    const auto* begin = reinterpret_cast<const char*>(elements.data());
    const std::string bytes(begin, begin + elements.size() * sizeof(T));
    folder_.write("in/" + name, bytes);
    if (declare) storage(name, 0, bytes.size());
    return *this;
  }
  ToyRun& storage(const std::string& name, std::uint64_t offset, std::uint64_t size) {
    toy_["storages"].push_back({{"file", name}, {"offset", offset}, {"size", size}});
    return *this;
  }
  // See toy_reader.cpp for the members; offset 0 and uint16 unless said otherwise.
  ToyRun& tensor(const Json& tensor) {
    Json whole = {{"offset", 0}, {"dtype", "uint16"}};
    whole.update(tensor);
    toy_["tensors"].push_back(whole);
    return *this;
  }
  ToyRun& set(const std::string& member, const std::string& value) {
    toy_[member] = value;
    return *this;
  }

  ToyRun& writer(const std::string& id) {
    writer_ = id;
    return *this;
  }
  void write(const std::string& name, const std::string& bytes) const {
    folder_.write(name, bytes);
  }

  // reader [! resharder options] ! writer options, up to its plan; throws what the pipeline throws.
  std::unique_ptr<Done> plan(const std::vector<OptionText>& resharder = {},
                             const std::vector<OptionText>& writer = {},
                             const Settings& settings = {},
                             const std::vector<OptionText>& reader = {}) {
    // Written once: what is written again counts as changed.
    if (const auto json = toy_.dump(); TempFolder::text_of(folder_ / "in/toy.json") != json) {
      folder_.write("in/toy.json", json);
    }
    return std::make_unique<Done>(
        Done{prepare(registry_, request(resharder, writer, reader), settings)});
  }

  // All of it.
  std::unique_ptr<Done> convert(const std::vector<OptionText>& resharder = {},
                                const std::vector<OptionText>& writer = {},
                                const Settings& settings = {},
                                const std::vector<OptionText>& reader = {}) {
    auto run = plan(resharder, writer, settings, reader);
    run->outcome = ckptbridge::convert(*run, settings);
    return run;
  }

  const TempFolder& folder() const { return folder_; }
  const Registry& registry() const { return registry_; }

  // Reads the output of such a conversion back.
  Comparison verify(const std::vector<OptionText>& resharder = {},
                    const std::vector<OptionText>& writer = {}) const {
    return verify_against_source(registry_, request(resharder, writer, {}), {});
  }

  // The elements of an output file; its checksum is cut off.
  template <class T = std::uint16_t>
  std::vector<T> output(const std::string& name) const {
    std::ifstream in((folder_ / ("out/" + name)).string(), std::ios::binary);
    EXPECT_TRUE(in) << name;
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    std::vector<T> elements((bytes.size() - std::min<std::size_t>(bytes.size(), 4)) / sizeof(T));
    std::memcpy(elements.data(), bytes.data(), elements.size() * sizeof(T));
    return elements;
  }
  std::string output_bytes(const std::string& name) const {
    std::ifstream in((folder_ / ("out/" + name)).string(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  // A replicated tensor of float32, a file for each rank.
  ToyRun& replicas(const std::string& name, const std::vector<std::vector<float>>& ranks) {
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
      const std::string of_rank = name + std::to_string(rank);
      file(of_rank, ranks[rank]);
      tensor({{"name", name},
              {"file", of_rank},
              {"dtype", "float32"},
              {"shape", {ranks[rank].size()}},
              {"mp_rank", rank},
              {"mp_world_size", ranks.size()}});
    }
    return *this;
  }

  // Names in the folder around input and output: what a failed run must leave as it was.
  std::vector<std::string> left_behind() const {
    std::vector<std::string> names;
    for (const auto& entry : boost::filesystem::directory_iterator(folder_.path())) {
      if (entry.path().filename() != "in") names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  Request request(const std::vector<OptionText>& resharder, const std::vector<OptionText>& writer,
                  const std::vector<OptionText>& reader) const {
    Request request;
    request.input = folder_ / "in";
    request.output = folder_ / "out";
    request.folder = folder_.path();
    request.steps = {{"toy.reader", reader}};
    if (!resharder.empty()) request.steps.push_back({"toy.resharder", resharder});
    request.steps.push_back({writer_, writer});
    return request;
  }

  static SearchPath plugins(bool with_compute, const std::string& more) {
    SearchPath path;
    path.folders = {{paths::toy_plugins(), Origin::kOption}};
    if (with_compute) path.folders.push_back({paths::toy_compute(), Origin::kOption});
    if (!more.empty()) path.folders.push_back({more, Origin::kOption});
    path.caller = path.installer = geteuid();
    return path;
  }

  TempFolder folder_;
  std::string writer_ = "toy.writer";
  Json toy_;
  Registry registry_;
};

inline std::vector<std::uint16_t> counted(std::uint16_t from, std::size_t count) {
  std::vector<std::uint16_t> result(count);
  for (auto& element : result) element = from++;
  return result;
}

}  // namespace ckptbridge

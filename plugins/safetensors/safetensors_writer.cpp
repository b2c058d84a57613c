// safetensors-writer: names and tensors for whoever reads Hugging Face's format.
//
//   model.safetensors                  all tensors; or, with --max-shard-bytes,
//   model-00001-of-0000N.safetensors   shards, filled in the order of the graph, and
//   model.safetensors.index.json       which of them has each tensor
// Within a file, tensors lie as the format's own library puts them (arrange() in header.h), so that
// the same tensors become the same bytes. What it cannot hold is dropped with a reason. It shares
// no bytes: tied tensors are written once each.
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "ckptbridge/plugin.hpp"
#include "core/text/json_object.h"
#include "plugins/safetensors/header.h"
#include "plugins/safetensors/model_files.h"
#include "plugins/state_dict/plain_tensors.h"

namespace {

using ckptbridge::Error;
using ckptbridge::Json;
using ckptbridge::JsonObject;
using ckptbridge::plugin::Graph;
using ckptbridge::plugin::Layout;
using ckptbridge::plugin::ObjectView;
using ckptbridge::state_dict::PlainTensor;
namespace st = ckptbridge::safetensors;

struct Shard {
  std::vector<st::Entry> entries;
  std::uint64_t size = 0;
};

class SafetensorsWriter : public ckptbridge::plugin::Writer {
 public:
  explicit SafetensorsWriter(const char* options) {
    const Json given = Json::parse(options, "options");
    JsonObject object(given, "options");
    if (object.find("max-shard-bytes") == nullptr) return;
    const std::int64_t most = object.integer("max-shard-bytes");
    if (most < 1) {
      throw Error(CKB_INVALID_ARGUMENT,
                  fmt::format("max-shard-bytes: {} is not a size of a file", most));
    }
    most_ = static_cast<std::uint64_t>(most);
  }

  void lay_out(Graph& graph, Layout& out) override {
    const st::Metadata metadata = metadata_of(graph);
    const auto tensors = ckptbridge::state_dict::plain_tensors(graph, st::kMetadata);
    std::map<std::string, ckb_node> values;
    std::set<ckb_node> nodes;
    for (const PlainTensor& tensor : tensors) {
      values.emplace(tensor.name, tensor.value);
      nodes.insert(tensor.value);
    }
    if (nodes.size() < tensors.size()) {
      graph.note(
          fmt::format("{} tensors repeat others, to which they were tied: safetensors "
                      "shares no bytes",
                      tensors.size() - nodes.size()));
    }
    std::vector<Shard> shards = shards_of(tensors);
    std::map<std::string, std::string> file_of;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < shards.size(); ++i) {
      const std::string name = shards.size() == 1 ? "model.safetensors"
                                                  : fmt::format("model-{:05}-of-{:05}.safetensors",
                                                                i + 1, shards.size());
      st::arrange(shards[i].entries);
      const std::string header = st::header_bytes({shards[i].entries, metadata});
      const std::uint32_t file = out.add_file(name, header.size() + shards[i].size);
      out.put_bytes(file, 0, std::as_bytes(std::span(header)));
      for (const st::Entry& entry : shards[i].entries) {
        file_of.emplace(entry.name, name);
        if (entry.begin == entry.end) continue;
        out.put_value(file, header.size() + entry.begin, values.at(entry.name));
      }
      total += shards[i].size;
    }
    if (shards.size() == 1) return;
    const std::string index = st::index_text(file_of, total);
    out.put_bytes(out.add_file("model.safetensors.index.json", index.size()), 0,
                  std::as_bytes(std::span(index)));
  }

 private:
  // transformers asks for "format".
  static st::Metadata metadata_of(const Graph& graph) {
    st::Metadata metadata = {{"format", "pt"}};
    const auto in = graph.view();
    for (std::uint64_t i = 0; i < in.object_count(); ++i) {
      const ObjectView object = in.object(i);
      if (object.name != st::kMetadata || object.kind != "json") continue;
      const auto* text = reinterpret_cast<const char*>(object.data.data());
      const Json known =
          Json::parse({text, object.data.size()}, st::kMetadata, {.allow_nul = true});
      for (const auto& [name, value] : known.items()) {
        metadata.emplace_back(name, value.text());
      }
    }
    return metadata;
  }

  // At least one; each holds no more than asked for, or a single tensor.
  std::vector<Shard> shards_of(const std::vector<PlainTensor>& tensors) const {
    std::vector<Shard> shards(1);
    for (const PlainTensor& tensor : tensors) {
      const std::uint64_t size = tensor.size();
      const bool is_full = most_ != 0 && !shards.back().entries.empty() &&
                           (shards.back().size > most_ || size > most_ - shards.back().size);
      if (is_full) shards.emplace_back();
      shards.back().entries.push_back({tensor.name, tensor.dtype, tensor.shape, 0, size});
      shards.back().size += size;
    }
    return shards;
  }

  std::uint64_t most_ = 0;  // 0: no limit
};

}  // namespace

CKPTBRIDGE_WRITER(SafetensorsWriter, "safetensors-writer", CKPTBRIDGE_VERSION)

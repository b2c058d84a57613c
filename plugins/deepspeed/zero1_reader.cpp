// zero1-reader: savanna's and DeepSpeed's checkpoints of ZeRO stage 0, 1 and 2, and plain .pt
// files.
//
//   mp_rank_XX_model_states.pt   a dict, at times below one more key "model":
//     module                     OrderedDict name -> tensor, or an extra state for "…_extra_state"
//     buffer_names               which of them are buffers
//     mp_world_size, iteration, args, ds_config, …    state that is no tensor
// Each of these files may be in pieces (pieces.h).
// A file without "module" whose own items are tensors is taken for such a dict itself.
// Source: deepspeed/runtime/engine.py, _save_checkpoint, of 0.3 to 0.19; the files in tests/golden.
#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "ckptbridge/plugin.hpp"
#include "core/text/json_object.h"
#include "plugins/deepspeed/config_files.h"
#include "plugins/deepspeed/rank_files.h"
#include "plugins/deepspeed/state_file.h"
#include "plugins/state_dict/family.h"
#include "plugins/state_dict/run_facts.h"
#include "plugins/torch_file/lookup.h"

namespace {

using ckptbridge::Error;
using ckptbridge::deepspeed::LogicalFile;
using ckptbridge::deepspeed::RankFiles;
using ckptbridge::deepspeed::StateFile;
using ckptbridge::plugin::Graph;
namespace tf = ckptbridge::torch_file;

// Reads one rank's file into the graph.
class RankReader {
 public:
  RankReader(Graph& out, const LogicalFile& file, int rank, int world)
      : out_(out), file_(out, file), rank_(rank), world_(world) {}

  // The value of the property "names"; "" where none is known.
  std::string_view read() {
    const auto [module, others] = find_module();
    require_rank_of_world(others);
    const std::set<std::string> buffers = buffer_names(others);
    std::string_view names;
    for (const tf::Item& item : tf::items_of(values_, module)) {
      const std::string name = tf::require_string(values_, item.key, file_.name() + ": module");
      if (names.empty()) names = ckptbridge::state_dict::family_of(name);
      if (!name.ends_with("_extra_state") && add_tensor(name, item.value, buffers)) continue;
      file_.add_object(name, item.value, rank_);
    }
    for (const auto& [name, value] : others) {
      file_.add_object(name, value, rank_);
      if (rank_ == 0) ckptbridge::state_dict::add_run_fact(out_, values_, name, value);
    }
    file_.drop_rest("storages that no tensor shows");
    return names;
  }

 private:
  using Others = std::vector<std::pair<std::string, tf::ValueId>>;

  // The dict of parameters, and what else the file holds, by name.
  std::pair<tf::ValueId, Others> find_module() const {
    tf::ValueId root = file_.root();
    if (const auto model = tf::find(values_, root, "model");
        model && tf::is_mapping(values_, *model)) {
      root = *model;
    }
    const auto module = tf::find(values_, root, "module");
    if (module && tf::is_mapping(values_, *module)) {
      Others others;
      for (const tf::Item& item : tf::items_of(values_, root)) {
        if (item.value == *module && values_.as_string(item.key) == "module") continue;
        others.emplace_back(key_text(item.key), item.value);
      }
      return {*module, others};
    }
    for (const tf::Item& item : tf::items_of(values_, root)) {
      if (tf::read_tensor(values_, item.value, file_.name())) return {root, {}};
    }
    throw Error(
        CKB_UNSUPPORTED,
        fmt::format("{}: holds {}, not a model's state: expected a dict with \"module\", or "
                    "one of tensors",
                    file_.name(), tf::describe(values_, file_.root())));
  }

  std::string key_text(tf::ValueId key) const {
    const auto text = values_.as_string(key);
    if (!text || text->empty()) return tf::describe(values_, key);
    return tf::require_string(values_, key, file_.name());
  }

  // Rank files that came from a larger set would convert to a part of a model, in silence.
  void require_rank_of_world(const Others& others) const {
    for (const auto& [name, value] : others) {
      if (name != "mp_world_size") continue;
      const auto said = values_.as_int(value);
      if (!said || *said == world_) return;
      throw Error(
          CKB_NOT_FOUND,
          fmt::format(
              "{}: is model-parallel rank {} of {} (mp_world_size), but {} rank file{} found",
              file_.name(), rank_, *said, world_, world_ == 1 ? " was" : "s were"),
          {.file = file_.name(), .hint = "give the folder that holds all of them"});
    }
  }

  std::set<std::string> buffer_names(const Others& others) const {
    std::set<std::string> result;
    for (const auto& [name, value] : others) {
      if (name != "buffer_names" || values_.kind(value) != tf::Kind::kList) continue;
      for (const tf::ValueId element : values_.elements(value)) {
        if (const auto text = values_.as_string(element)) result.emplace(*text);
      }
    }
    return result;
  }

  bool add_tensor(const std::string& name, tf::ValueId value,
                  const std::set<std::string>& buffers) {
    const auto tensor = ckptbridge::about({.tensor = name}, [&] {
      return tf::read_tensor(values_, value, file_.name() + ": " + name);
    });
    if (!tensor) return false;
    const std::uint32_t flags = (tensor->requires_grad ? CKB_REQUIRES_GRAD : 0) |
                                (tensor->is_parameter ? CKB_IS_PARAMETER : 0);
    out_.add_tensor({.name = name,
                     .role = buffers.contains(name) ? "buffer" : "param",
                     .value = file_.extent(*tensor),
                     .mp_rank = rank_,
                     .mp_world_size = world_,
                     .flags = flags},
                    tensor->shape, tensor->dtype);
    return true;
  }

  Graph& out_;
  StateFile file_;
  const tf::Values& values_ = file_.values();
  const int rank_;
  const int world_;
};

class Zero1Reader : public ckptbridge::plugin::Reader {
 public:
  // A folder: by its names. A file: by its first bytes, a zip's or a legacy .pt's.
  static int probe(const char* path) {
    try {
      const RankFiles found = ckptbridge::deepspeed::find_rank_files(path, "");
      if (!found.single || ckptbridge::deepspeed::model_rank_of(found.files[0].name)) return 95;
      const std::filesystem::path first(found.files[0].pieces[0]);
      std::ifstream in(std::filesystem::path(found.folder) / first.filename(), std::ios::binary);
      std::array<char, tf::kTorchFileHead> head{};
      in.read(head.data(), head.size());
      if (!in.is_open() || in.bad()) {
        throw Error(CKB_IO, std::string(path) + ": cannot be read", {.file = path});
      };
      const auto size = static_cast<std::size_t>(in.gcount());
      if (tf::starts_as_torch_file(std::as_bytes(std::span(head).first(size)))) return 50;
    } catch (const Error& error) {
      if (error.code() == CKB_IO) throw;
      // Some of it is there: read_graph() says more.
      return ckptbridge::deepspeed::concerns_rank_files(path) ? 40 : 0;
    }
    return 0;
  }

  Zero1Reader(const char* path, const char* options) : path_(path) {
    const ckptbridge::Json given = ckptbridge::Json::parse(options, "options");
    ckptbridge::JsonObject object(given, "options");
    tag_ = object.string_or("tag", "");
    glob_ = object.string_or("glob-pattern", "");
  }

  void read_graph(Graph& out) override {
    const RankFiles files = ckptbridge::deepspeed::find_rank_files(path_, tag_, glob_);
    const int world = static_cast<int>(files.files.size());
    std::string_view names;
    for (int rank = 0; rank < world; ++rank) {
      if (ckptbridge::plugin::host->cancelled(ckptbridge::plugin::host)) {
        throw Error(CKB_CANCELLED, "stopped as asked");
      }
      const auto& file = files.files[static_cast<std::size_t>(rank)];
      const std::string_view found = ckptbridge::about(
          {.file = file.name}, [&] { return RankReader(out, file, rank, world).read(); });
      if (names.empty()) names = found;
    }
    ckptbridge::deepspeed::add_config_files(out, path_, files.folder);
    out.set_property("format", "zero1");
    out.set_property("mp_world_size", std::to_string(world));
    if (!names.empty()) out.set_property("names", std::string(names));
  }

 private:
  std::string path_;
  std::string tag_;
  std::string glob_;
};

}  // namespace

CKPTBRIDGE_READER(Zero1Reader, "zero1-reader", CKPTBRIDGE_VERSION)

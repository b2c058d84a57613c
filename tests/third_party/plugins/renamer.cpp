// acme.renamer: gives tensors the names that a table says. In C++, over plugin.hpp.
//
// The table is text: a line "OLD NEW" for each tensor; empty lines and those that begin with # say
// nothing. A tensor that the table does not name keeps its name; a name that no tensor has is an
// error, since it is a slip.
#include <map>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "ckptbridge/plugin.hpp"

namespace {

using ckptbridge::Error;
using ckptbridge::plugin::ConstGraph;
using ckptbridge::plugin::Graph;

class Renamer : public ckptbridge::plugin::Transform {
 public:
  explicit Renamer(const char* options)
      : path_(nlohmann::json::parse(options).at("table").get<std::string>()) {}

  void rewrite(const ConstGraph& in, Graph& out) override {
    const auto table = read_table(out);
    std::set<std::string> unused;
    for (const auto& [from, to] : table) unused.insert(from);

    for (std::uint64_t i = 0; i < in.tensor_count(); ++i) {
      const auto tensor = in.tensor(i);
      std::string name(tensor.name);
      unused.erase(name);
      if (const auto found = table.find(name); found != table.end()) name = found->second;
      out.add_tensor({.name = name,
                      .role = tensor.role,
                      .value = tensor.value,
                      .mp_rank = tensor.mp_rank,
                      .mp_world_size = tensor.mp_world_size,
                      .partition_dim = tensor.partition_dim,
                      .flags = tensor.flags,
                      .row_blocks = tensor.row_blocks},
                     tensor.shape, tensor.dtype);
    }
    for (std::uint64_t i = 0; i < in.object_count(); ++i) {
      const auto object = in.object(i);
      out.add_object(object.name, std::string(object.kind).c_str(), object.data, object.storages,
                     object.mp_rank);
    }
    if (!unused.empty()) {
      throw Error(CKB_INVALID_ARGUMENT,
                  path_ + ": renames " + *unused.begin() + ", but there is no tensor of this name");
    }
    out.set_property("names", "acme-model");
    out.set_property("mp_world_size", std::string(in.property("mp_world_size")));
  }

 private:
  // The host reads the file, as all input: it watches it for changes.
  std::map<std::string, std::string> read_table(Graph& graph) const {
    const ckb_file file = graph.open_file(path_);
    std::string text(graph.file_size(file), '\0');
    graph.read_file(file, 0, std::as_writable_bytes(std::span(text)));

    std::map<std::string, std::string> table;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string from;
      std::string to;
      std::string rest;
      if (!(words >> from) || from.starts_with("#")) continue;
      if (!(words >> to) || words >> rest) {
        throw Error(CKB_INVALID_ARGUMENT, path_ + ": \"" + line + "\" is not OLD NEW");
      }
      table[from] = to;
    }
    return table;
  }

  std::string path_;
};

}  // namespace

CKPTBRIDGE_TRANSFORM(Renamer, "acme.renamer", CKPTBRIDGE_VERSION)

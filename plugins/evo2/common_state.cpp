#include "plugins/evo2/common_state.h"

#include <limits>

#include "ckptbridge/error.hpp"
#include "core/text/json_file.h"
#include "plugins/torch_file/pickler.h"
#include "plugins/torch_file/tensor.h"

namespace ckptbridge::evo2 {
namespace {

using torch_file::ValueId;
using torch_file::Values;

constexpr char kTensor[] = "$tensor";

// Adds JSON to values; tensors get storages of their own.
class FromJson {
 public:
  explicit FromJson(StateObject& out) : out_(out) {}

  // The files are ours and shallow, so this may recurse.
  ValueId add(const Json& json) {
    if (json.is_null()) return Values::none();
    if (json.is_boolean()) return Values::boolean(json.get<bool>());
    if (json.is_integer()) return values_.integer(json.get<std::int64_t>());
    if (json.is_number()) return values_.real(json.get<double>());
    if (json.is_string()) return values_.string(json.text());
    if (json.is_array()) {
      const ValueId list = values_.list();
      for (const auto& element : json) values_.append(list, add(element));
      return list;
    }
    if (json.contains(kTensor)) return add_tensor(json[kTensor]);
    const ValueId dict = values_.dict();
    for (const auto& [key, value] : json.items()) {
      values_.set_item(dict, values_.string(key), add(value));
    }
    return dict;
  }

  void finish(ValueId root) { out_.pickle = torch_file::pickle(values_, root); }

 private:
  ValueId add_tensor(const Json& json) {
    if (json.at("dtype") != "float32") {
      throw Error(CKB_UNSUPPORTED, "tensors of " + json.at("dtype").dump());
    }
    torch_file::Bytes data;
    for (const auto& element : json.at("values")) {
      const float value = element == "inf"   ? std::numeric_limits<float>::infinity()
                          : element == "nan" ? std::numeric_limits<float>::quiet_NaN()
                                             : element.get<float>();
      const auto bytes = std::as_bytes(std::span(&value, 1));
      data.insert(data.end(), bytes.begin(), bytes.end());
    }
    const std::string key = std::to_string(out_.storages.size());
    out_.storages.push_back({kFloat32, std::move(data)});
    return torch_file::make_tensor(values_, key, kFloat32,
                                   json.at("shape").get<std::vector<std::int64_t>>());
  }

  StateObject& out_;
  Values values_;
};

}  // namespace

StateObject common_state(const std::filesystem::path& folder) {
  const Json file = read_json(folder / "shared" / "nemo2_common.json");
  StateObject result;
  FromJson builder(result);
  builder.finish(builder.add(file.at("common")));
  return result;
}

StateObject extra_state(ObjectValue value) {
  StateObject result;
  Values values;
  ValueId root = Values::none();
  if (value == ObjectValue::kEmpty) {
    root = torch_file::make_tensor(values, "0", kUInt8, {0});
    result.storages.push_back({kUInt8, {}});
  }
  result.pickle = torch_file::pickle(values, root);
  return result;
}

}  // namespace ckptbridge::evo2

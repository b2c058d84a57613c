#include "plugins/evo2/context.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "ckptbridge/error.hpp"
#include "plugins/evo2/fiddle.h"
#include "plugins/evo2/json_reader.h"
#include "plugins/evo2/yaml.h"

namespace ckptbridge::evo2 {
namespace {

Json to_json(const Value& value) {
  struct Visitor {
    Json operator()(std::monostate) const { return nullptr; }
    Json operator()(bool flag) const { return flag; }
    Json operator()(std::int64_t number) const { return number; }
    Json operator()(double number) const { return number; }
    Json operator()(const std::string& text) const { return text; }
  };
  return std::visit(Visitor{}, value);
}

bool is_python_object(const Field& field, const Value& value) {
  return std::holds_alternative<std::string>(value) &&
         (field.type == FieldType::kDtype || field.type == FieldType::kReference);
}

// The class with its explicit arguments.
Json io_config(const Profile& profile, const FieldTable& fields) {
  Json arguments = Json::object();
  for (const Field& field : fields.all()) {
    const bool overridden = std::find(profile.overrides.begin(), profile.overrides.end(),
                                      field.name) != profile.overrides.end();
    if (!field.always_explicit && !overridden) continue;
    const Value& value = profile.values.at(field.name);
    if (is_python_object(field, value)) {
      arguments[field.name] = {{"reference", {"torch", std::get<std::string>(value)}}};
    } else {
      arguments[field.name] = to_json(value);
    }
  }
  return {{"class", {fields.module(), profile.nemo_class}}, {"arguments", arguments}};
}

// All fields of the class.
Json yaml_config(const Profile& profile, const FieldTable& fields) {
  Json out = Json::object();
  out["_target_"] = fields.module() + "." + profile.nemo_class;
  for (const Field& field : fields.all()) {
    if (!field.in_configuration) continue;
    const Value& value = profile.values.at(field.name);
    if (is_python_object(field, value)) {
      const std::string& text = std::get<std::string>(value);
      out[field.name] = {{"_call_", field.called},
                         {"_target_", field.type == FieldType::kDtype ? "torch." + text : text}};
    } else {
      out[field.name] = to_json(value);
    }
  }
  return out;
}

// Puts value wherever the tree has {placeholder: true}.
void substitute(Json& tree, const std::string& placeholder, const Json& value) {
  if (!tree.is_structured()) return;
  if (tree.is_object() && tree.contains(placeholder)) {
    tree = value;
    return;
  }
  for (Json& child : tree) substitute(child, placeholder, value);
}

}  // namespace

Context make_context(const Profile& profile, const FieldTable& fields,
                     const std::filesystem::path& folder, const std::string& save_ckpt_format) {
  if (profile.nemo_class.empty()) {
    throw Error(CKB_UNSUPPORTED, profile.name + ": NeMo has no configuration class for this size");
  }
  const Json file = read_json(folder / "shared" / "nemo2_context.json");
  Members members(file, "nemo2_context.json");
  members.integer("context_version", 1, 1);
  Json io = members.get("io");
  Json yaml = members.get("model_yaml");
  members.require_all_known();

  substitute(io, "$save_ckpt_format", save_ckpt_format);
  substitute(io, "$config", io_config(profile, fields));
  substitute(yaml, "$config", yaml_config(profile, fields));
  return {dump_json(fiddle_json(io)), dump_yaml(yaml)};
}

}  // namespace ckptbridge::evo2

#include "plugins/evo2/context.h"

#include <algorithm>
#include <utility>

#include "ckptbridge/error.hpp"
#include "core/text/json_file.h"
#include "core/text/json_object.h"
#include "plugins/evo2/fiddle.h"
#include "plugins/evo2/yaml.h"

namespace ckptbridge::evo2 {
namespace {

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
  if (tree.contains(placeholder)) {
    tree = value;
  } else if (tree.is_array()) {
    for (Json& child : tree) substitute(child, placeholder, value);
  } else if (tree.is_object()) {
    for (JsonMember& child : tree.items()) substitute(child.value, placeholder, value);
  }
}

}  // namespace

Context make_context(const Profile& profile, const FieldTable& fields,
                     const std::filesystem::path& folder, const std::string& save_ckpt_format) {
  if (profile.nemo_class.empty()) {
    throw Error(CKB_UNSUPPORTED, profile.name + ": NeMo has no configuration class for this size");
  }
  const Json file = read_json(folder / "shared" / "nemo2_context.json");
  JsonObject members(file, "nemo2_context.json");
  members.integer("context_version", 1, 1);
  Json io = members.get("io");
  Json yaml = members.get("model_yaml");
  members.require_all_read();

  substitute(io, "$save_ckpt_format", save_ckpt_format);
  substitute(io, "$config", io_config(profile, fields));
  substitute(yaml, "$config", yaml_config(profile, fields));
  return {dump_json(fiddle_json(io)), dump_yaml(yaml)};
}

}  // namespace ckptbridge::evo2

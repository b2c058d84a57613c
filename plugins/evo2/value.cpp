#include "plugins/evo2/value.h"

namespace ckptbridge::evo2 {

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

std::string to_text(const Value& value) { return to_json(value).dump(); }

Value to_value(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.text();
  return {};
}

}  // namespace ckptbridge::evo2

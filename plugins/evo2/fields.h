// The configuration fields that a profile may set (profiles/shared/fields.json).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/evo2/json_reader.h"
#include "plugins/evo2/value.h"

namespace ckptbridge::evo2 {

enum class FieldType {
  kBoolean,
  kInteger,
  kNumber,
  kText,
  kDtype,      // the name of an element type: "bfloat16"
  kReference,  // a Python object by its name; not for profiles to set
  kFixed       // null; not for profiles to set
};

struct Field {
  std::string name;
  FieldType type = FieldType::kFixed;
  bool nullable = false;
  std::optional<Value> default_value;  // without one, a size must set the field
  std::optional<std::int64_t> least;   // for integers and numbers
  bool in_configuration = false;       // a field of NeMo's class
  bool always_explicit = false;        // io.json lists it even with the class's own value
  bool called = false;                 // references: _call_ of model.yaml
};

class FieldTable {
 public:
  // Throws Error when the file is missing or damaged.
  explicit FieldTable(const std::filesystem::path& file);

  // Fields of NeMo's class first, in the order of the class.
  const std::vector<Field>& all() const { return fields_; }
  const Field* find(std::string_view name) const;

  // The Python module of NeMo's configuration classes.
  const std::string& module() const { return module_; }

 private:
  std::string module_;
  std::vector<Field> fields_;
};

// Checks a profile's value; where opens the message of the Error.
Value parse_value(const Field& field, const Json& json, const std::string& where);

}  // namespace ckptbridge::evo2

// The configuration fields that a profile may set (profiles/shared/fields.json).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/json.h"
#include "plugins/evo2/value.h"

namespace ckptbridge::evo2 {

// Numbers are no larger, so that products of a few fields stay far from overflow.
inline constexpr std::int64_t kMostNumber = std::int64_t{1} << 40;
// Bounds what a hostile pattern of layers makes of a few bytes; the largest model has 50.
inline constexpr std::size_t kLongestText = 4096;
// What a field of type dtype may be.
inline constexpr std::array<const char*, 3> kDtypes{"bfloat16", "float16", "float32"};

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
  std::string letters;                 // of which a text is made, one at least; "": of any
  std::string length_of;          // the field of a text that an integer counts; "": it counts none
  bool in_configuration = false;  // a field of NeMo's class
  bool always_explicit = false;   // io.json lists it even with the class's own value
  bool called = false;            // references: _call_ of model.yaml
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

// The names of tensors in Savanna and in NeMo, and how one is made of the other, as data:
// profiles/shared/savanna.json and profiles/shared/megatron.json.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/evo2/profile.h"
#include "plugins/evo2/value.h"

namespace ckptbridge::evo2 {

// Whose names the tensors of a checkpoint have. Without Transformer Engine, Megatron's layer norms
// have names of their own.
enum class Family { kSavanna, kMegatron, kMegatronWithoutTe };

enum class Position { kEmbedding, kLayer, kNorm, kOutput };

// Which layers, and with which values of a profile, a rule is about.
struct Scope {
  Position at = Position::kLayer;
  std::string layers;  // letters of hybrid_override_pattern
  std::string field;   // "" always; else a boolean field that must have the value wanted
  bool wanted = true;

  bool holds(const Profile& profile) const {
    return field.empty() || profile.flag(field) == wanted;
  }
};

// Where a Savanna parameter occurs.
struct Occurrence {
  Scope scope;
  std::vector<std::string> shape;  // expressions over the profile
  bool optional = false;
  std::optional<Position> equals;  // the tensor must repeat the one at that position
};

struct Parameter {
  std::string name;                  // what follows sequential.N.
  std::optional<int> partition_dim;  // the dimension that shards split; none: replicated
  std::optional<int> hidden_dim;     // the dimension that has the hidden size
  std::vector<Occurrence> occurrences;
};

// Savanna tensors that have no place in NeMo.
struct Dropped {
  std::string ending;
  std::string reason;
};

// Only the first count entries of a dimension are kept.
struct Keep {
  int dim = 0;
  std::string count;  // expression
  std::string reason;
  bool identifying = false;  // the source's size tells model sizes apart
};

enum class ObjectValue { kEmpty, kNone };

// One tensor or object of NeMo's state dict.
struct TargetRule {
  Scope scope;
  std::string name;               // of layers: what follows the layer's prefix
  std::vector<std::string> from;  // Savanna parameters, laid end to end; none: an object
  int concat_dim = 0;
  std::optional<Keep> keep;
  ObjectValue object = ObjectValue::kEmpty;
};

struct NameTable {
  // Reads FOLDER/shared/savanna.json and megatron.json; fields checks the conditions.
  NameTable(const std::filesystem::path& folder, const FieldTable& fields);

  // The parameter of "sequential.3.mlp.w1.weight"; nullptr for other names.
  const Parameter* find(std::string_view tensor_name) const;
  // Why a Savanna tensor is not converted; nullptr when it is.
  const Dropped* find_dropped(std::string_view tensor_name) const;

  // What follows the layer in a name of either family: "mlp.w1.weight" of
  // "sequential.3.mlp.w1.weight", "mlp.linear_fc2.weight" of
  // "module.decoder.layers.1.mlp.linear_fc2.weight"; "" for other names.
  std::string_view name_in_layer(std::string_view tensor_name) const;
  // What all of Megatron's names begin with: "module.".
  std::string_view megatron_root() const;

  std::vector<std::pair<Position, std::string>> positions;  // expressions for sequential.N
  std::vector<Parameter> parameters;
  std::vector<Dropped> dropped;
  std::string layer_prefix;  // with {layer}
  std::vector<std::pair<std::string, Value>> assumes;
  std::vector<std::string> fp32_filters;  // last parts of names
  std::vector<TargetRule> targets;
};

// "mlp.w1.weight" of "sequential.3.mlp.w1.weight"; "" when the name is none of Savanna's.
std::string_view parameter_name(std::string_view tensor_name);

}  // namespace ckptbridge::evo2

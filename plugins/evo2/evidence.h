// What a checkpoint says of its model beside its tensors (args, configs/*.yml), held against a
// profile: no tensor shows the rotary base, for one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plugins/evo2/config_text.h"
#include "plugins/evo2/profile.h"
#include "plugins/evo2/value.h"

namespace ckptbridge::evo2 {

// A value that the checkpoint states for a field of the profile.
struct Fact {
  std::string field;  // "rotary_base"
  Value value;
  std::string key;      // what the checkpoint calls it: "rotary_emb_base"
  std::string place;    // where it says so: "configs/7b.yml"
  bool unseen = false;  // no tensor shows the field
};

// A field that no tensor shows, such as num_attention_heads. `like` names a field that tensors show
// and that grows with this one from size to size (hidden_size); "": there is none.
struct Unseen {
  std::string field;
  std::string like;
};

class EvidenceTable {
 public:
  // Reads FOLDER/shared/evidence.json. Throws Error when it is missing or damaged.
  EvidenceTable(const std::filesystem::path& folder, const FieldTable& fields);

  // What NeMo's configuration says, under the names of the fields.
  std::vector<Fact> nemo_facts(const Settings& config, const std::string& place) const;

  // What settings say, under the keys of the table; values of another type say nothing.
  std::vector<Fact> facts(const Settings& settings, const std::string& place) const;

  // The settings of a pickled dict or argparse.Namespace under the keys of the table. Throws Error
  // for a damaged pickle.
  Settings read_args(std::span<const std::byte> pickle, const std::string& place) const;

  std::vector<Unseen> unseen() const;

 private:
  struct Rule {
    const Field* field = nullptr;
    std::string key;
    bool unseen = false;
    std::string like;
    std::optional<Value> nothing;
    Settings unless;
  };

  std::vector<Rule> rules_;
};

// 128 and 128.0 are the same.
bool same_value(const Value& a, const Value& b);

// Facts that the profile contradicts.
std::vector<Fact> contradicted(const Profile& profile, const std::vector<Fact>& facts);

// Throws UNSUPPORTED with both values and both places of each contradiction.
void require_agreement(const Profile& profile, const Catalogue& catalogue,
                       const std::vector<Fact>& facts);

}  // namespace ckptbridge::evo2

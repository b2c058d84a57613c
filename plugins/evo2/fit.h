// Does a checkpoint fit a profile? By names and shapes alone.
#pragma once

#include <string>
#include <vector>

#include "plugins/evo2/evidence.h"
#include "plugins/evo2/expected.h"
#include "plugins/evo2/names.h"
#include "plugins/evo2/profile.h"

namespace ckptbridge::evo2 {

struct TensorShape {
  std::string name;
  Shape shape;
};

// Which of Megatron's families the names of its tensors are.
Family megatron_family(const NameTable& names, const std::vector<TensorShape>& found);

enum class DifferenceKind { kSize, kNdim, kMissing, kUnexpected };

struct Difference {
  DifferenceKind kind = DifferenceKind::kSize;
  std::string name;
  Shape found;
  Shape wanted;
  std::size_t dim = 0;  // of kSize
  // The conversion is right all the same: what differs is cut off or dropped.
  bool harmless = false;
  // A harmless difference that tells model sizes apart all the same (filter columns).
  bool identifying = true;
  std::string in_layer = {};  // what follows the layer in the name; "" outside layers
};

struct Fit {
  std::string profile;
  std::vector<Difference> differences;
  std::size_t layers_found = 0;
  std::size_t layers_wanted = 0;

  bool converts() const;  // true where every difference is harmless
  bool exact() const;  // converts(), and no difference tells sizes apart: filter columns are equal
};

// Compares the tensors of a whole checkpoint (all shards joined) with what the profile expects.
Fit compare(const Profile& profile, const NameTable& names, const std::vector<TensorShape>& found,
            Family family = Family::kSavanna);

// Which differences describe() tells: kHarmful, those that prevent a conversion; kIdentifying, also
// those by which one size is told from another, such as the number of filter columns.
enum class Tell { kHarmful, kIdentifying };

// "mlp.w1.weight has 22528 rows, 40b has 21888 (50 layers); ...": one part per kind of difference,
// however many layers have it; "and 3 more" in the place of parts beyond most.
std::string describe(const Fit& fit, Tell tell = Tell::kHarmful, std::size_t most = 8);

// --model-size NAME: returns the fit, with its harmless differences. Throws UNSUPPORTED with the
// differences and the sizes that do fit.
Fit require_fit(const Profile& profile, const Catalogue& catalogue, const NameTable& names,
                const std::vector<TensorShape>& found, Family family = Family::kSavanna);

// What the checkpoint says of itself beside its tensors, for choose().
struct Evidence {
  std::vector<Fact> facts;
  std::vector<Unseen> unseen;
};

// --model-size auto: the only profile that fits exactly; among several, the only one that evidence
// does not contradict. Throws INVALID_ARGUMENT when several are left, UNSUPPORTED with the nearest
// sizes and, where there is one, a profile for the checkpoint when none fits.
const Profile& choose(const Catalogue& catalogue, const NameTable& names,
                      const std::vector<TensorShape>& found, const Evidence& evidence = {},
                      Family family = Family::kSavanna);

}  // namespace ckptbridge::evo2

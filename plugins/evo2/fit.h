// Does a checkpoint fit a profile? By names and shapes alone.
#pragma once

#include <string>
#include <vector>

#include "plugins/evo2/expected.h"
#include "plugins/evo2/names.h"
#include "plugins/evo2/profile.h"

namespace ckptbridge::evo2 {

struct TensorShape {
  std::string name;
  Shape shape;
};

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
};

struct Fit {
  std::string profile;
  std::vector<Difference> differences;
  std::size_t layers_found = 0;
  std::size_t layers_wanted = 0;

  bool converts() const;  // every difference is harmless
  bool exact() const;     // and none tells sizes apart: filter columns are equal too
};

// Compares the tensors of a whole checkpoint (all shards joined) with what the profile expects.
Fit compare(const Profile& profile, const NameTable& names, const std::vector<TensorShape>& found);

// "mlp.w1.weight has 22528 rows, 40b has 21888 (50 layers); ...": one part per kind of difference,
// however many layers have it; harmless differences are left out.
std::string describe(const Fit& fit);

// --model-size NAME: returns the fit, with its harmless differences. Throws UNSUPPORTED with the
// differences and the sizes that do fit.
Fit require_fit(const Profile& profile, const Catalogue& catalogue, const NameTable& names,
                const std::vector<TensorShape>& found);

// --model-size auto: the only profile that fits exactly. Throws INVALID_ARGUMENT when several do,
// UNSUPPORTED with the nearest sizes when none does.
const Profile& choose(const Catalogue& catalogue, const NameTable& names,
                      const std::vector<TensorShape>& found);

}  // namespace ckptbridge::evo2

// Profiles that ckptbridge writes for the user: for a checkpoint that fits no size, and for one
// that says something else of itself than its size does.
#pragma once

#include <string>
#include <vector>

#include "plugins/evo2/evidence.h"
#include "plugins/evo2/fit.h"
#include "plugins/evo2/names.h"
#include "plugins/evo2/profile.h"

namespace ckptbridge::evo2 {

struct Proposal {
  std::string json;     // the text of a profile that fits the checkpoint exactly; "": there is none
  std::string problem;  // why there is none
};

// Derives the pattern, sizes and flags from names and shapes. What no tensor shows is taken from
// facts or else from the nearest size, and the profile's comment says so.
Proposal propose(const Catalogue& catalogue, const NameTable& names,
                 const std::vector<TensorShape>& found, const std::vector<Fact>& facts,
                 const std::vector<Unseen>& unseen);

// The lines that end a message about a size and the facts that contradict it: a profile that agrees
// with them, where only fields differ that no tensor shows.
std::string correction(const Profile& profile, const Catalogue& catalogue,
                       const std::vector<Fact>& facts);

}  // namespace ckptbridge::evo2

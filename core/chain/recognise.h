// Formats that can be told by their looks but not read: manifests with the role "recognise".
#pragma once

#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "core/plugin_host/registry.h"

namespace ckptbridge {

// The manifests that describe the input by its names and first bytes. Those that ask for properties
// of the graph fit when properties has them; without, they never do.
std::vector<const Manifest*> recognise(const Registry& registry,
                                       const boost::filesystem::path& input,
                                       const Properties& properties = {});

// "x.pt is a git-lfs pointer …" for each; "" when there is none.
std::string recognised_text(const std::vector<const Manifest*>& found,
                            const boost::filesystem::path& input);

}  // namespace ckptbridge

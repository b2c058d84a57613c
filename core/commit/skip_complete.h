// Output files that an earlier run, or another job, has made already.
#pragma once

#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "core/graph/layout.h"

namespace ckptbridge {

// Takes the files out of the layout that lie in `out` as it would make them, and gives their paths.
// Each has the size and all bytes that are known before the input is read, headers and pickles;
// tensors are not compared, since files appear when they are complete. EXISTS, which says what
// differs, for a file of one of these names that is anything else.
std::vector<std::string> leave_out_complete(Layout& layout, const boost::filesystem::path& out);

}  // namespace ckptbridge

// Output files that an earlier run, or another job, has made already.
#pragma once

#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "core/graph/layout.h"

namespace ckptbridge {

// Removes from the layout the files that are complete in `out`, and returns their paths. A file is
// complete if it has the size and all the bytes that are known before the input is read, headers
// and pickles; tensors are not compared, since a file appears only when it is complete. Throws
// EXISTS, saying what differs, for any other file at one of these paths.
std::vector<std::string> leave_out_complete(Layout& layout, const boost::filesystem::path& out);

}  // namespace ckptbridge

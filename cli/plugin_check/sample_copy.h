// A copy of the sample, to be spoiled or watched.
#pragma once

#include <boost/filesystem/path.hpp>

#include "cli/plugin_check/subject.h"

namespace ckptbridge::plugin_check {

struct SampleCopy {
  // Below folder. Skipped without a sample, or if it is larger than 256 MiB.
  SampleCopy(const Subject& subject, const boost::filesystem::path& folder);

  boost::filesystem::path path;
  boost::filesystem::path largest;  // the largest file in it; empty if there is none
};

}  // namespace ckptbridge::plugin_check

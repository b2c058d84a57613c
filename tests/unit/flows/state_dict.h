// A plain state dict in memory: what pt-writer makes, read for comparison.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/pipeline.h"
#include "core/plan/losses.h"
#include "plugins/torch_file/lookup.h"
#include "plugins/torch_file/torch_file.h"
#include "tests/unit/flows/rank_file.h"

namespace ckptbridge {

// The reasons for which objects were left out, with the names of each.
inline std::map<std::string, std::vector<std::string>> dropped_objects(const Conversion& run) {
  std::map<std::string, std::vector<std::string>> dropped;
  for (const DroppedObjects& drop :
       find_losses(run.target, run.coverage, run.request.input).dropped_objects) {
    dropped[drop.reason] = drop.names;
  }
  return dropped;
}

// The entries of a .pt whose object is a plain dict of tensors.
inline std::vector<RankEntry> read_state_dict(const boost::filesystem::path& path) {
  namespace tf = torch_file;
  const std::string text = file_text(path);
  const tf::MemorySource source(std::as_bytes(std::span(text)), path.string());
  const tf::TorchFile pt = tf::read_torch_file(source);
  EXPECT_EQ(pt.values.kind(pt.root), tf::Kind::kDict);
  std::vector<RankEntry> entries;
  for (const tf::Item& item : tf::items_of(pt.values, pt.root)) {
    entries.push_back(rank_entry(pt, text, item));
    EXPECT_NE(entries.back().form, "object") << entries.back().name;
  }
  return entries;
}

}  // namespace ckptbridge

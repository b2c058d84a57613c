// What becomes of a tensor: from the tensors of the input to ranges of output files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/graph/layout.h"

namespace ckptbridge {

// A value in an output file.
struct OutputPlace {
  std::uint32_t file;  // number in the layout
  Segment segment;     // the tensor's value, or what the writer made of it
};

struct WrittenTensor {
  // Of the output: one name, and one value, which several ranks hold if it is replicated.
  std::vector<const Tensor*> tensors;
  std::vector<const Tensor*> sources;  // of the input, that it is made of
  std::vector<OutputPlace> places;     // none: the files that hold it are there already
};

// A tensor of the input of which nothing is written.
struct UnwrittenTensor {
  const Tensor* tensor;
  std::string reason;  // "": an object of the output may hold it
};

struct Trace {
  std::vector<WrittenTensor> written;      // in the order of the output
  std::vector<UnwrittenTensor> unwritten;  // in the order of the input
};

// Of the tensors of source or target whose names fit one of the patterns, which are those of
// chosen_names(); for a tensor of source, of all that are made of it. Throws INVALID_ARGUMENT for a
// pattern that fits none. The graphs, of one arena, must outlive the trace.
Trace trace(const Graph& source, const Graph& target, const Layout& layout,
            const std::vector<std::string>& patterns, const std::string& option);

}  // namespace ckptbridge

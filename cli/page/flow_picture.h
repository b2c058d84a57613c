// A conversion as a picture: boxes from input to output, and between them flows as thick as the
// bytes are many.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ckptbridge::cli {

struct FlowBox {
  std::string title;
  std::vector<std::string> lines;
};

struct Flow {
  std::vector<FlowBox> boxes;        // at least two
  std::vector<std::string> between;  // what each arrow says, one less
  // Bytes of tensors: read, written on, compared only. The rest is left out.
  std::uint64_t declared = 0;
  std::uint64_t used = 0;
  std::uint64_t checked = 0;
};

// Returns an <svg>. The classes flow, check, drop, box and soft of the page set its colours. Texts
// may be of any origin; those too long for their box are cut, and whole in its tooltip.
std::string flow_picture(const Flow& flow);

}  // namespace ckptbridge::cli

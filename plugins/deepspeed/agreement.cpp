#include "plugins/deepspeed/agreement.h"

#include <fmt/format.h>

#include "ckptbridge/error.hpp"

namespace ckptbridge::deepspeed {

void Agreement::require(const std::string& fact, const std::string& value,
                        const std::string& file) {
  const auto [it, added] = said_.try_emplace(fact, value, file);
  if (added || it->second.first == value) return;
  throw Error(CKB_CORRUPT,
              fmt::format("{}: {} is {}, but {} says {}; the files are not of one "
                          "checkpoint",
                          file, fact, value, it->second.second, it->second.first),
              {.file = file});
}

}  // namespace ckptbridge::deepspeed

// A model profile of the user's own.
#include "plugins/evo2/profile.h"

#include <unistd.h>

#include <sys/mman.h>

#include "tests/fuzz/target.h"
#include "tests/paths.h"

namespace fuzz = ckptbridge::fuzz;

namespace {

// A file in memory, since profiles are read from files.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("profile", 0)) { fuzz::require(descriptor_ >= 0); }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }
  void fill(const std::uint8_t* data, std::size_t size) const {
    fuzz::require(ftruncate(descriptor_, 0) == 0);
    fuzz::require(pwrite(descriptor_, data, size, 0) == static_cast<ssize_t>(size));
  }

 private:
  int descriptor_;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ckptbridge::evo2::Catalogue catalogue(ckptbridge::paths::profiles());
  static const MemoryFile file;
  file.fill(data, size);
  fuzz::answers([&] { catalogue.read(file.path()); });
  return 0;
}

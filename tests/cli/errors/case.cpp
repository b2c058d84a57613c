#include "tests/cli/errors/case.h"

#include <boost/filesystem.hpp>

namespace ckptbridge::errors {
namespace fs = boost::filesystem;

std::string Scratch::copy(const std::string& name, const std::string& to) const {
  fs::create_directories((folder_ / to).parent_path());
  fs::copy(golden(name), folder_ / to, fs::copy_options::recursive);
  return path(to);
}

std::string Scratch::copy_without(const std::string& name, const std::string& left_out) const {
  copy(name);
  EXPECT_GT(fs::remove_all(folder_ / "in" / left_out), 0u) << left_out;
  return path("in");
}

void Scratch::replace(const std::string& name, const std::string& from,
                      const std::string& to) const {
  std::string text = TempFolder::text_of(folder_ / name);
  const auto at = text.find(from);
  ASSERT_NE(at, std::string::npos) << name << " holds no " << from;
  write(name, text.replace(at, from.size(), to));
}

void Scratch::truncate(const std::string& name, std::uintmax_t size) const {
  fs::resize_file(folder_ / name, size);
}

void Scratch::rename(const std::string& from, const std::string& to) const {
  fs::rename(folder_ / from, folder_ / to);
}

Arguments Scratch::convert(const std::string& input, const std::string& to,
                           const Arguments& more) const {
  Arguments arguments = {"convert", input, out(), "--to", to};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace ckptbridge::errors

// Includes run one way. The READMEs of core and cli draw the order, and this reads it from there:
// "a, b → c" says that the files of a and b may include those of c and of all behind it.
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include <boost/filesystem.hpp>
#include <gmock/gmock.h>

#include "tests/paths.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;
using testing::IsEmpty;

const fs::path kSource = paths::sources();

std::string text_of(const fs::path& path) {
  std::ifstream in(path.string());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

bool is_code(const fs::path& path) {
  return path.extension() == ".h" || path.extension() == ".cpp" || path.extension() == ".hpp";
}

// Paths of all files of code below a folder, from the sources' root.
std::vector<std::string> code_below(const std::string& folder) {
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(kSource / folder)) {
    if (is_code(entry.path())) files.push_back(entry.path().lexically_relative(kSource).string());
  }
  return files;
}

std::vector<std::string> includes_of(const std::string& file) {
  static const std::regex include("#include \"([^\"]+)\"");
  const std::string text = text_of(kSource / file);
  std::vector<std::string> paths;
  for (std::sregex_iterator i(text.begin(), text.end(), include), end; i != end; ++i) {
    paths.push_back((*i)[1]);
  }
  return paths;
}

// "core/graph/nodes.h": graph; "core/pipeline.h": pipeline.
std::string room_of(const std::string& file) {
  const fs::path path(file);
  auto part = path.begin();
  const std::string second = (++part)->string();
  return ++part == path.end() ? fs::path(second).stem().string() : second;
}

// The place of each room in the order that the README of a folder draws.
std::map<std::string, int> order_of(const std::string& folder) {
  std::istringstream lines(text_of(kSource / folder / "README.md"));
  std::map<std::string, int> order;
  const std::string arrow = "→";
  for (std::string line; std::getline(lines, line) && order.empty();) {
    if (line.find(arrow) == std::string::npos || line.find('`') != std::string::npos) continue;
    int place = 0;
    for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + arrow.size()) {
      end = line.find(arrow, begin);
      static const std::regex word("[a-z_]+");
      const std::string rooms = line.substr(begin, end - begin);
      for (std::sregex_iterator i(rooms.begin(), rooms.end(), word), last; i != last; ++i) {
        order[(*i)[0]] = place;
      }
      ++place;
    }
  }
  return order;
}

std::vector<std::string> against_the_order(const std::string& folder) {
  const auto order = order_of(folder);
  std::vector<std::string> wrong;
  for (const std::string& file : code_below(folder)) {
    const std::string from = room_of(file);
    if (!order.contains(from)) wrong.push_back(file + ": the order does not have " + from);
    for (const std::string& included : includes_of(file)) {
      if (!included.starts_with(folder + "/")) continue;
      const std::string to = room_of(included);
      if (to != from && order.contains(from) && order.contains(to) &&
          order.at(to) <= order.at(from)) {
        wrong.push_back(file + " includes " + included);
      }
    }
  }
  return wrong;
}

TEST(Includes, RunOneWayThroughTheFoldersOfCore) {
  EXPECT_GE(order_of("core").size(), 10U);
  EXPECT_THAT(against_the_order("core"), IsEmpty());
}

TEST(Includes, RunOneWayThroughTheFoldersOfTheCommand) {
  EXPECT_GE(order_of("cli").size(), 5U);
  EXPECT_THAT(against_the_order("cli"), IsEmpty());
}

TEST(Includes, OfTheCoreKnowNoCommandAndNoPlugin) {
  std::vector<std::string> wrong;
  for (const std::string& file : code_below("core")) {
    for (const std::string& included : includes_of(file)) {
      if (!included.starts_with("core/") && !included.starts_with("ckptbridge/")) {
        wrong.push_back(file + " includes " + included);
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

// But text/, which is linked into them: how JSON is read and told is one for all.
TEST(Includes, OfPluginsKnowNeitherCoreNorCommand) {
  std::vector<std::string> wrong;
  for (const std::string& file : code_below("plugins")) {
    for (const std::string& included : includes_of(file)) {
      const bool is_core = included.starts_with("core/") && !included.starts_with("core/text/");
      if (is_core || included.starts_with("cli/")) wrong.push_back(file + " includes " + included);
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

}  // namespace
}  // namespace ckptbridge

// What a file of a megabyte may cost: ten seconds, and sixteen times its size and 64 MiB.
#include <fcntl.h>
#include <functional>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/cli/command.h"
#include "tests/cli/hand_made_pt.h"
#include "tests/paths.h"

namespace ckptbridge {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kSize = std::size_t{1} << 20;
constexpr std::size_t kRoom = kSize - 1500;  // for a pickle in a file of that size

std::string repeated(const std::string& what, std::size_t count) {
  std::string result;
  result.reserve(what.size() * count);
  for (std::size_t i = 0; i < count; ++i) result += what;
  return result;
}

// As many of what as there is room for.
std::string filled(const std::string& what, std::size_t taken = 0) {
  return repeated(what, (kRoom - taken) / what.size());
}

// A checkpoint without tensors, with more state: {"module": {}, "x": body}.
std::string state(const std::string& body) {
  return "}(" + text("module") + "}" + text("x") + body + "u";
}

// The opcodes of a checkpoint whose tensors are what add returns for each number: "h\x01h\x02R" is
// one.
std::string module_of(const std::function<std::string(std::size_t)>& item, std::size_t count) {
  std::string pickle = std::string("ctorch._utils\n_rebuild_tensor_v2\nq\x01") + "0(" + "(" +
                       text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu") +
                       "K\x01tQ" + std::string("K\0))\x89", 5) +
                       "ccollections\nOrderedDict\n)Rtq\x02" + "0}(" + text("module") + "}(";
  for (std::size_t i = 0; i < count; ++i) pickle += item(i);
  return pickle + "uu";
}

std::string number(std::size_t i) {
  std::string digits = std::to_string(i);
  return "\x8c\x07" + std::string(7 - digits.size(), '0') + digits;
}

struct Cost {
  int code = -1;
  double seconds = 0;        // of the processor
  std::uint64_t memory = 0;  // bytes, at most
};

Cost cost_of(const std::vector<std::string>& arguments) {
  std::vector<char*> words = {const_cast<char*>(paths::command())};
  for (const std::string& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    execv(paths::command(), words.data());
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  Cost cost;
  if (WIFEXITED(status)) cost.code = WEXITSTATUS(status);
  cost.seconds = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  cost.memory = static_cast<std::uint64_t>(usage.ru_maxrss) << 10;
  return cost;
}

class HostileFile : public testing::TestWithParam<std::pair<const char*, std::string (*)()>> {
 protected:
  const TempFolder folder_;
};

TEST_P(HostileFile, CostsLittle) {
  const std::string file = pt_of(GetParam().second());
  ASSERT_LE(file.size(), kSize);
  const auto path = folder_.write("x.pt", file);
  const Cost cost = cost_of({"inspect", path.string()});
  EXPECT_TRUE(cost.code == 0 || cost.code == 3) << cost.code;
  if (std::string_view(CKPTBRIDGE_SANITIZE).empty()) {  // which cost time and memory of their own
    EXPECT_LT(cost.seconds, 10);
    EXPECT_LT(cost.memory, 16 * file.size() + (std::uint64_t{64} << 20));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Limits, HostileFile,
    testing::Values(std::pair(
                        "EmptyLists", +[] { return state("(" + filled("]", 99) + "l"); }),
                    std::pair(
                        "EmptyDicts", +[] { return state("(" + filled("}", 99) + "l"); }),
                    std::pair(
                        "EmptySets", +[] { return state("(" + filled("\x8f", 99) + "l"); }),
                    std::pair(
                        "DeepLists",
                        +[] {
                          const std::size_t depth = kRoom / 2 - 99;
                          return state(repeated("]", depth) + repeated("a", depth - 1));
                        }),
                    std::pair(
                        "DeepTuples", +[] { return state(")" + filled("\x85", 99)); }),
                    std::pair(
                        "MemoBomb", +[] { return state("N" + filled("2\x86", 99)); }),
                    std::pair(
                        "Marks", +[] { return filled("(", 99); }),
                    std::pair(
                        "Objects",
                        +[] {
                          return state(
                              "(ca\nb\nq\x01"
                              "0" +
                              filled("h\x01)\x81", 199) + "l");
                        }),
                    std::pair(
                        "Calls",
                        +[] {
                          return state(
                              "(ca\nb\nq\x01"
                              "0" +
                              filled("h\x01)R", 199) + "l");
                        }),
                    std::pair(
                        "Digits", +[] { return "I" + filled("9", 99) + "\n"; }),
                    std::pair(
                        "HugeInteger",
                        +[] {
                          const std::string digits = filled("\x7f", 199);
                          std::string size;
                          for (int i = 0; i < 4; ++i) {
                            size += static_cast<char>(digits.size() >> 8 * i & 0xFF);
                          }
                          return state("\x8b" + size + digits);
                        }),
                    std::pair(
                        "SizeThatLies", +[] { return "\x8e" + repeated("\xff", 8); }),
                    std::pair(
                        "ManyKeys",
                        +[] {
                          return module_of([](std::size_t i) { return number(i) + "N"; },
                                           kRoom / 10 - 99);
                        }),
                    std::pair(
                        "ManyTensors",
                        +[] {
                          return module_of([](std::size_t i) { return number(i) + "h\x01h\x02R"; },
                                           kRoom / 14 - 99);
                        })),
    [](const auto& test) { return test.param.first; });

// Larger than a megabyte: bound in time alone.
TEST(HostileFile, OfAMillionTinyTensorsIsReadInSeconds) {
  const TempFolder folder;
  const auto path = folder.write(
      "x.pt", pt_of(module_of([](std::size_t i) { return number(i) + "h\x01h\x02R"; }, 1'000'000)));
  const Cost cost = cost_of({"inspect", path.string()});
  EXPECT_EQ(cost.code, 0);
  if (std::string_view(CKPTBRIDGE_SANITIZE).empty()) {
    EXPECT_LT(cost.seconds, 10);
  }
}

// A checkpoint of one tensor of this name.
std::string named(const std::string& name) {
  return pt_of(module_of([&](std::size_t) { return text(name) + "h\x01h\x02R"; }, 1));
}

TEST(HostileName, ThatLooksLikeAPathIsOnlyAName) {
  const TempFolder folder;
  for (const char* name : {"../../outside", "/outside", "a/b", "..", "C:\\outside"}) {
    const auto path = folder.write("x.pt", named(name));
    const auto before = folder.tree();
    EXPECT_EQ(command({"inspect", path.string()}).code, 0) << name;
    command({"convert", path.string(), (folder / "out").string(), "--to", "zero1"});
    EXPECT_EQ(folder.tree(), before) << name;
    EXPECT_FALSE(boost::filesystem::exists(folder / "../outside"));
  }
}

TEST(HostileName, WithControlCharactersIsRefusedAndEscaped) {
  const TempFolder folder;
  for (const char* name : {"w\x1b[2J", "w\nforged: all is well", "w\r", "\x7f",
                           "w\xc2\x9b"
                           "31m"}) {
    const auto path = folder.write("x.pt", named(name));
    const auto outcome = command({"inspect", path.string()});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.err, HasSubstr("control characters"));
    EXPECT_THAT(outcome.err, HasSubstr("\\x"));
    EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr(name)));
  }
}

}  // namespace
}  // namespace ckptbridge

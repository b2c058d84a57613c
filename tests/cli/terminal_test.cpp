// What people see on a terminal, and what stands in a log.
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <pty.h>
#include <unistd.h>
#include <utmp.h>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "tests/cli/command.h"
#include "tests/paths.h"

namespace ckptbridge {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// A model large enough that a bar is drawn while it is converted on one thread.
std::string write_large(const TempFolder& folder) {
  constexpr std::uint64_t kSize = std::uint64_t{512} << 20;
  const std::string header = fmt::format(
      R"({{"layers.0.weight":{{"dtype":"U8","shape":[{0}],"data_offsets":[0,{0}]}}}})", kSize);
  std::string file(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(header.size() >> (8 * i) & 0xFF);
  const auto path = folder.write("in.safetensors", file + header);
  boost::filesystem::resize_file(path, 8 + header.size() + kSize);  // a hole
  return path.string();
}

// Opens the two ends of a terminal where /dev/pts is missing, as in a bare root: by a file system
// of terminals that is there for a moment.
bool open_own_terminal(int& terminal, int& inside) {
  const TempFolder folder;
  if (mount("devpts", folder.path().c_str(), "devpts", 0, "newinstance,ptmxmode=0666") != 0) {
    return false;
  }
  terminal = open((folder / "ptmx").c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  inside = unlockpt(terminal) == 0 ? ioctl(terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY) : -1;
  umount2(folder.path().c_str(), MNT_DETACH);
  return inside >= 0;
}

// What the command writes on a terminal of so many columns.
std::string on_terminal(const std::vector<std::string>& arguments, unsigned short columns) {
  winsize size{};
  size.ws_row = 24;
  size.ws_col = columns;
  int terminal = -1;
  int inside = -1;
  if (openpty(&terminal, &inside, nullptr, nullptr, nullptr) != 0 &&
      !open_own_terminal(terminal, inside)) {
    ADD_FAILURE() << "there is no terminal: " << std::strerror(errno);
    return "";
  }
  ioctl(inside, TIOCSWINSZ, &size);
  const pid_t child = fork();
  if (child == 0) {
    close(terminal);
    login_tty(inside);
    setenv("TERM", "xterm", 1);
    std::vector<char*> words = {const_cast<char*>(paths::command())};
    for (const std::string& argument : arguments) {
      words.push_back(const_cast<char*>(argument.c_str()));
    }
    words.push_back(nullptr);
    execv(paths::command(), words.data());
    _exit(127);
  }
  close(inside);
  std::string text;
  std::array<char, 4096> buffer{};
  ssize_t got = 0;
  while ((got = read(terminal, buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  close(terminal);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0) << text;
  return text;
}

// The texts between two carriage returns, without what clears the line.
std::vector<std::string> bars(const std::string& text) {
  std::vector<std::string> result;
  for (auto begin = text.find('\r'); begin != std::string::npos;
       begin = text.find('\r', begin + 1)) {
    const auto end = text.find("\x1b[K", begin);
    if (end == std::string::npos) break;
    if (end > begin + 1 && text.find('\r', begin + 1) > end) {
      result.push_back(text.substr(begin + 1, end - begin - 1));
    }
  }
  return result;
}

class Terminal : public testing::Test {
 protected:
  std::vector<std::string> convert(const std::string& out) const {
    return {"convert", input_,     (folder_ / out).string(), "--to", "safetensors", "--threads",
            "1",       "--no-sync"};
  }

  const TempFolder folder_;
  const std::string input_ = write_large(folder_);
};

TEST_F(Terminal, ShowsABarThatNamesTheTensorAndGoesAway) {
  const std::string text = on_terminal(convert("wide"), 140);
  const auto drawn = bars(text);
  ASSERT_FALSE(drawn.empty()) << text;
  EXPECT_THAT(drawn.front(),
              AllOf(HasSubstr("convert ["), HasSubstr(" of 512.0 MiB"), HasSubstr("/s"),
                    HasSubstr(" left"), HasSubstr("  layers.0.weight")));
  EXPECT_THAT(text, HasSubstr("\r\x1b[Kwrote "));
}

TEST_F(Terminal, FitsANarrowWindow) {
  const auto drawn = bars(on_terminal(convert("narrow"), 40));
  ASSERT_FALSE(drawn.empty());
  for (const std::string& bar : drawn) EXPECT_LT(bar.size(), 40u) << bar;
}

TEST_F(Terminal, HasNoBarWhereItCannotBeRedrawnOrIsNotWanted) {
  auto quiet = convert("quiet");
  quiet.insert(quiet.end(), {"--progress", "none"});
  EXPECT_THAT(on_terminal(quiet, 140), Not(HasSubstr("\x1b")));
}

TEST_F(Terminal, IsNotWhatALogIs) {
  const auto outcome = command(convert("log"), "TERM=xterm");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err + outcome.out, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\r"))));
}

}  // namespace
}  // namespace ckptbridge

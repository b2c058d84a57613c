#include "cli/plugin_check/runner.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "ckptbridge/error.hpp"

namespace ckptbridge::plugin_check {
namespace {

using Clock = std::chrono::steady_clock;

// The child: its result goes through the pipe as one letter and the message.
[[noreturn]] void run_as_child(const TestCase& test, const Subject& subject, int pipe_end) {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  const Result result = run_here(test, subject);
  const std::string text = static_cast<char>(result.outcome) + result.message;
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t size = write(pipe_end, text.data() + done, text.size() - done);
    if (size < 0 && errno != EINTR) break;
    if (size > 0) done += static_cast<std::size_t>(size);
  }
  _exit(0);  // not through the plugin's destructors
}

// What the child writes until it ends; false if it does not by then.
bool read_until(int pipe_end, Clock::time_point deadline, std::string& text) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    pollfd waiting{pipe_end, POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready == 0) return false;
    if (ready < 0) continue;  // a signal
    char buffer[4096];
    const ssize_t size = ::read(pipe_end, buffer, sizeof(buffer));
    if (size == 0) return true;
    if (size > 0) text.append(buffer, static_cast<std::size_t>(size));
  }
}

std::string signal_text(int signal) {
  const char* name = sigabbrev_np(signal);
  return name == nullptr ? fmt::format("signal {}", signal) : fmt::format("SIG{}", name);
}

}  // namespace

Result run_here(const TestCase& test, const Subject& subject) {
  try {
    test.run(subject);
    return {Outcome::kPassed, ""};
  } catch (const Skipped& reason) {
    return {Outcome::kSkipped, reason.what()};
  } catch (const std::exception& problem) {
    return {Outcome::kFailed, problem.what()};
  }
}

Result run_apart(const TestCase& test, const Subject& subject, std::chrono::milliseconds limit) {
  int ends[2];
  if (pipe(ends) != 0) throw Error(CKB_IO, std::strerror(errno));  // NOLINT(concurrency-*)
  const pid_t child = fork();
  if (child < 0) throw Error(CKB_IO, std::strerror(errno));  // NOLINT(concurrency-*)
  if (child == 0) {
    close(ends[0]);
    run_as_child(test, subject, ends[1]);
  }
  close(ends[1]);
  std::string text;
  const bool ended = read_until(ends[0], Clock::now() + limit, text);
  close(ends[0]);
  if (!ended) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!ended) {
    return {Outcome::kFailed, fmt::format("did not end within {} ms", limit.count())};
  }
  if (WIFSIGNALED(status)) {
    return {Outcome::kFailed,
            fmt::format("the process was ended by {}", signal_text(WTERMSIG(status)))};
  }
  if (text.empty()) {
    return {Outcome::kFailed,
            fmt::format("the process ended itself with exit code {}", WEXITSTATUS(status))};
  }
  return {static_cast<Outcome>(text.front()), text.substr(1)};
}

}  // namespace ckptbridge::plugin_check

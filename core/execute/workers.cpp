#include "core/execute/workers.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <mutex>
#include <sched.h>
#include <system_error>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"

namespace ckptbridge {
namespace {

using namespace std::chrono_literals;

// How often the user is asked and told; a bar needs no more.
constexpr auto kPeriod = 100ms;

constexpr unsigned kMaxThreads = 16;

// Cores that the cgroup's quota grants (cgroup v2: "max 100000" or "200000 100000"), rounded up; 0
// if there is none.
unsigned quota_cores() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return static_cast<unsigned>(std::ceil(std::strtod(quota.c_str(), nullptr) / period));
}

void require_wanted(const Feedback& feedback) {
  if (feedback.cancelled && feedback.cancelled()) throw Error(CKB_CANCELLED, "stopped as asked");
}

}  // namespace

unsigned default_threads() {
  unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    cores = std::min(cores, static_cast<unsigned>(std::max(1, CPU_COUNT(&set))));
  }
  if (const unsigned quota = quota_cores(); quota > 0) cores = std::min(cores, quota);
  return std::min(cores, kMaxThreads);
}

void run_workers(unsigned threads, std::uint64_t count,
                 const std::function<std::function<std::uint64_t(std::uint64_t)>()>& make_worker,
                 const std::string& stage, std::uint64_t total, const Feedback& feedback,
                 const std::function<std::string(std::uint64_t)>& tensor_of) {
  require_wanted(feedback);
  std::atomic<std::uint64_t> next = 0;
  std::atomic<std::uint64_t> done = 0;
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::condition_variable ended;
  unsigned running = threads;
  std::exception_ptr failure;

  const auto fail = [&] {
    const std::scoped_lock lock(mutex);
    if (!failure) failure = std::current_exception();
    stop = true;
  };
  std::vector<std::jthread> pool;
  pool.reserve(threads);
  const auto start = [&] {
    pool.emplace_back([&] {
      try {
        const auto work = make_worker();
        for (std::uint64_t n = next++; n < count && !stop; n = next++) done += work(n);
      } catch (...) {
        fail();
      }
      const std::scoped_lock lock(mutex);
      if (--running == 0) ended.notify_one();
    });
  };
  for (unsigned i = 0; i < threads; ++i) {
    try {
      start();
    } catch (const std::system_error& error) {
      if (i == 0) {
        throw Error(CKB_IO, fmt::format("no thread can be started: {}", error.what()),
                    {.hint = "`ulimit -u` and `ulimit -v` bound how many there may be"});
      }
      // As many as there are do the work.
      const std::scoped_lock lock(mutex);
      running -= threads - i;
      break;
    }
  }
  const auto tell = [&](bool names) {
    if (!feedback.progress) return;
    const std::uint64_t begun = std::min<std::uint64_t>(next, count);
    feedback.progress(
        {stage, done, total, names && tensor_of && begun > 0 ? tensor_of(begun - 1) : ""});
  };
  std::unique_lock lock(mutex);
  while (!ended.wait_for(lock, kPeriod, [&] { return running == 0; })) {
    lock.unlock();
    try {
      tell(true);
      require_wanted(feedback);
    } catch (...) {
      fail();
    }
    lock.lock();
  }
  lock.unlock();
  if (failure) std::rethrow_exception(failure);
  tell(false);
}

}  // namespace ckptbridge

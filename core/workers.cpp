#include "core/workers.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "ckptbridge/error.hpp"

namespace ckptbridge {
namespace {

using namespace std::chrono_literals;

// How often the user is asked and told; a bar needs no more.
constexpr auto kPeriod = 100ms;

void require_wanted(const Feedback& feedback) {
  if (feedback.cancelled && feedback.cancelled()) throw Error(CKB_CANCELLED, "stopped as asked");
}

}  // namespace

void run_workers(unsigned threads, std::uint64_t count,
                 const std::function<std::function<std::uint64_t(std::uint64_t)>()>& make_worker,
                 const std::string& stage, std::uint64_t total, const Feedback& feedback) {
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
  for (unsigned i = 0; i < threads; ++i) {
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
  }
  std::unique_lock lock(mutex);
  while (!ended.wait_for(lock, kPeriod, [&] { return running == 0; })) {
    lock.unlock();
    try {
      if (feedback.progress) feedback.progress(stage, done, total);
      require_wanted(feedback);
    } catch (...) {
      fail();
    }
    lock.lock();
  }
  lock.unlock();
  if (failure) std::rethrow_exception(failure);
  if (feedback.progress) feedback.progress(stage, done, total);
}

}  // namespace ckptbridge

// Runs numbered pieces of work on threads, in order of their numbers, with progress and an end.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace ckptbridge {

// What the host tells its user while work goes on; called on the thread that started the work.
struct Feedback {
  // stage: "check", "convert", "sync"; bytes.
  std::function<void(const std::string& stage, std::uint64_t done, std::uint64_t total)> progress;
  // True once the user wants to stop.
  std::function<bool()> cancelled;
};

// As many threads as this process may use (affinity and cgroup quota), at most 16.
unsigned default_threads();

// Makes one worker per thread by calling make_worker on it, then gives the workers the numbers
// [0, count), each once, lowest first. A worker returns the bytes that it moved. The first
// exception of any of them stops all, and is thrown here; so is Error CANCELLED.
void run_workers(unsigned threads, std::uint64_t count,
                 const std::function<std::function<std::uint64_t(std::uint64_t)>()>& make_worker,
                 const std::string& stage, std::uint64_t total, const Feedback& feedback);

}  // namespace ckptbridge

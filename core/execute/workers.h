// Runs numbered pieces of work on threads, in order of their numbers, with progress and an end.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace ckptbridge {

// How far a stage has come.
struct Progress {
  std::string stage;  // "check", "convert", "digest", "compare"
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // bytes
  std::string tensor = {};  // that was begun last, or a pair's name; "" where that is not known
};

// What the host tells its user while work goes on; called on the thread that started the work.
struct Feedback {
  std::function<void(const Progress&)> progress;
  // Returns true once the user wants to stop.
  std::function<bool()> cancelled;
};

// Returns how many threads this process may use (affinity and cgroup quota), at most 16.
unsigned default_threads();

// Makes one worker per thread by calling make_worker on it, then hands the workers the numbers
// [0, count), each once, lowest first. A worker returns the bytes that it moved. The first
// exception of a worker stops all workers, and is thrown here; so is CANCELLED. tensor_of says
// whose bytes a number stands for.
void run_workers(unsigned threads, std::uint64_t count,
                 const std::function<std::function<std::uint64_t(std::uint64_t)>()>& make_worker,
                 const std::string& stage, std::uint64_t total, const Feedback& feedback,
                 const std::function<std::string(std::uint64_t)>& tensor_of = {});

}  // namespace ckptbridge

// Numbers that help to judge two values that should be equal: of each, and of their difference.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "core/graph/graph.h"
#include "core/plan/buffers.h"
#include "core/plugin_host/compute_plugin.h"

namespace ckptbridge {

struct ValueStatistics {
  ckb_summary summary = kEmptySummary;
  std::array<double, 3> quartiles{};           // of a sample where Statistics::sample_step is not 1
  std::array<std::uint64_t, 100> histogram{};  // of the finite elements, over Statistics::range
};

struct Statistics {
  ValueStatistics kept;
  ValueStatistics other;
  ckb_comparison comparison = kEmptyComparison;
  Range range{0, 0};              // of the finite elements of both; widened if they are all one
  std::uint64_t sample_step = 1;  // quartiles are of every so-manieth element
};

// Of two values of one shape and type. Reads each of them twice, in blocks of a task's size:
// all but the quartiles is of all elements; those are of some 250,000 evenly spaced ones.
Statistics statistics_of(const Arena& arena, ckb_node kept, ckb_node other, const Compute& compute,
                         const Buffers& buffers);

// Indented lines, each with a line feed before it.
std::string statistics_text(const Statistics& statistics, std::span<const std::int64_t> shape);

}  // namespace ckptbridge

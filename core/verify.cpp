#include "core/verify.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/compare/common_form.h"

namespace ckptbridge {
namespace {

// The format that the output has.
std::string format_of(const Registry& registry, const Request& wanted) {
  if (wanted.steps.empty()) return wanted.to;
  return registry.require(wanted.steps.back().plugin).format;
}

// A reader of another format may know it: a plain .pt is one file of the ZeRO-1 reader's.
bool has_reader(const Registry& registry, const std::string& format) {
  const auto known = registry.formats(Role::kReader);
  return std::find(known.begin(), known.end(), format) != known.end();
}

void compare_digests(const DigestList& expected, const DigestList& found, Comparison& result) {
  const auto pairs = pair_up(looks_of(expected.tensors), looks_of(found.tensors), result);
  for (const auto& [e, f] : pairs) {
    const DigestEntry& entry = expected.tensors[e];
    ++result.tensors;
    result.bytes +=
        checked_count(entry.form.shape, entry.form.dtype, entry.name) * item_size(entry.form.dtype);
    if (entry.digest == found.tensors[f].digest) continue;
    TensorDifference difference = difference_of(DifferenceKind::kDigest, entry);
    difference.expected = difference.found = entry.form;
    difference.text = fmt::format("digest {}, expected {}", found.tensors[f].digest, entry.digest);
    result.differences.push_back(std::move(difference));
  }
}

// What the writer says that it changes, as far as it is there: what is missing stays a difference.
void add_edits(const Manifest& writer, const Graph& found, std::vector<ObjectDrop>& left_out) {
  for (const std::string& name : writer.edits) {
    const auto& objects = found.objects();
    if (std::any_of(objects.begin(), objects.end(),
                    [&](const Object& object) { return object.name == name; })) {
      left_out.push_back({name, "changed by the writer"});
    }
  }
}

std::string names_text(const std::string& names) { return names.empty() ? "no known" : names; }

}  // namespace

Comparison verify_against_source(const Registry& registry, Request wanted,
                                 const ReadSettings& settings) {
  Input output;
  output.path = wanted.output;
  output.folder = wanted.folder;
  const std::string format = format_of(registry, wanted);
  if (has_reader(registry, format)) output.from = format;
  Checkpoint written = find_checkpoint(registry, output, settings);
  written.arena->checksums.collect();
  read(written);
  if (wanted.steps.empty() && wanted.to.empty()) wanted.to = written.reader->format;

  const Checkpoint source = open_checkpoint(registry, input_of(wanted), settings);
  const Chain chain = find_chain(source, wanted);
  Graph target = rewrite(source, chain);
  // Taken before lay_out(), in which the writer may change the graph.
  const auto expected = shards_of(target);
  const auto& drops = source.arena->object_drops;
  const auto drops_before = static_cast<std::ptrdiff_t>(drops.size());
  // lay_out() notes what the writer leaves out, with the reasons; its layout is not needed here.
  lay_out(source, target, chain);
  std::vector<ObjectDrop> left_out(drops.begin() + drops_before, drops.end());
  add_edits(*chain.steps.back().plugin, written.graph, left_out);

  const Buffers buffers = make_buffers(settings.limits);
  Comparison result = compare_tensors(*source.arena, expected, *written.arena,
                                      shards_of(written.graph), buffers, settings.feedback);
  compare_objects(target, written.graph, left_out, result);
  source.arena->require_sound_sources();
  written.arena->require_sound_sources();
  compare_checksums(*written.arena, result);
  return result;
}

Comparison verify_against_digests(const Registry& registry, const Input& input,
                                  const ReadSettings& settings, const DigestList& expected) {
  Checkpoint checkpoint = find_checkpoint(registry, input, settings);
  const Arena& arena = *checkpoint.arena;
  checkpoint.arena->checksums.collect();
  read(checkpoint);
  const Buffers buffers = make_buffers(settings.limits);
  const Graph whole = with_known_partition(checkpoint, checkpoint.graph, "verify");
  const DigestList found = make_digest_list(whole, buffers, settings.feedback);
  if (found.names != expected.names) {
    throw Error(
        CKB_UNSUPPORTED,
        fmt::format("{}: its tensors have {} names, the digests are of {} names; take the "
                    "list that was made for this format",
                    input.path.string(), names_text(found.names), names_text(expected.names)));
  }
  Comparison result;
  compare_digests(expected, found, result);
  compare_replicas(arena, buffers, settings.feedback, result);
  arena.require_sound_sources();
  compare_checksums(arena, result);
  return result;
}

}  // namespace ckptbridge

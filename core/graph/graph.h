// What a checkpoint holds: named tensors, objects and properties, and where their bytes are.
//
//   Arena   shared by all graphs of a run: input files, nodes, declared storages, and what was
//           dropped, expected and noted on the way
//   Graph   one per stage: the reader's, then one for each transform
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/bytes/intervals.h"
#include "core/disk/input_checksums.h"
#include "core/disk/input_files.h"
#include "core/graph/nodes.h"
#include "core/graph/storages.h"

namespace ckptbridge {

// A named tensor as one model-parallel rank holds it; the fields of ckb_tensor.
struct Tensor {
  std::string name;
  std::string role;
  ckb_node value = 0;
  std::int32_t mp_rank = 0;
  std::int32_t mp_world_size = 1;
  std::int32_t partition_dim = CKB_PARTITION_UNKNOWN;
  std::uint32_t flags = 0;
  std::uint32_t row_blocks = 0;
  std::uint32_t position = 0;
  // Of value; set by add_tensor(). Plugins borrow it while they add nodes, which moves the arena's.
  std::vector<std::int64_t> shape = {};
};

// State that is no tensor; the fields of ckb_object.
struct Object {
  std::string name;
  std::string kind;
  std::vector<std::byte> data;
  std::vector<ckb_node> storages;
  std::int32_t mp_rank = 0;
  std::uint32_t position = 0;
};

// A value left out on purpose.
struct Drop {
  ckb_node value;
  std::string reason;
};

// Bytes of a storage that no extent touched, left out on purpose.
struct UntouchedDrop {
  ckb_file file;
  std::vector<Interval> bytes;
  std::string reason;
};

struct ObjectDrop {
  std::string name;
  std::string reason;
};

// Two values that must hold the same bytes; what names them for the user.
struct Expectation {
  ckb_node kept;
  ckb_node other;
  std::string what;
  bool warn_only;
  std::string plugin = {};  // who expects it
};

struct Arena {
  explicit Arena(InputFiles files) : sources(std::move(files)) {}

  // Call it at the end of a run. Throws IO where an input file has changed since it was opened, and
  // CORRUPT where a checksum is not what the file says.
  void require_sound_sources() const;

  InputFiles sources;
  mutable InputChecksums checksums;  // reading adds to it, from any thread
  Nodes nodes;
  Storages storages;
  std::vector<Drop> drops;
  std::vector<UntouchedDrop> untouched_drops;
  std::vector<ObjectDrop> object_drops;
  std::vector<Expectation> expectations;
  std::vector<std::string> notes;
};

// A method that throws Error has changed nothing.
class Graph {
 public:
  // The arena must outlive the graph.
  explicit Graph(Arena& arena) : arena_(&arena) {}

  Arena& arena() const { return *arena_; }
  const std::vector<Tensor>& tensors() const { return tensors_; }
  const std::vector<Object>& objects() const { return objects_; }
  const std::map<std::string, std::string>& properties() const { return properties_; }

  // Declares bytes of a file that hold tensor data. Throws CORRUPT if they do not lie in the file.
  void add_storage(ckb_file file, std::uint64_t offset, std::uint64_t size);

  // Tells the CRC-32 that the file stores of a declared storage. what: the storage's name there.
  void expect_crc32(ckb_file file, std::uint64_t offset, std::uint64_t size, std::uint32_t crc,
                    const std::string& what);

  // Adds an extent. Throws CORRUPT unless a declared storage holds all of the extent.
  ckb_node add_extent(ckb_file file, std::uint64_t offset, Dtype dtype,
                      std::span<const std::int64_t> shape, std::span<const std::int64_t> strides);

  // Sets the position of the tensor.
  void add_tensor(Tensor tensor);
  void add_object(Object object);
  void set_property(const std::string& key, const std::string& value);

  void drop(ckb_node value, const std::string& reason);
  void drop_object(const std::string& name, const std::string& reason);
  void drop_untouched(ckb_file file, std::uint64_t offset, std::uint64_t size,
                      const std::string& reason);
  void expect_equal(ckb_node kept, ckb_node other, const std::string& what, bool warn_only);

 private:
  Arena* arena_;
  std::vector<Tensor> tensors_;
  std::vector<Object> objects_;
  std::map<std::string, std::string> properties_;
  std::unordered_set<std::string> names_;
  std::uint32_t next_position_ = 0;
};

// Throws INTERNAL, naming plugin and object, where a transform lost an object: `before` has it,
// `after` lacks it, and nobody dropped it.
void require_objects_kept(const Graph& before, const Graph& after, const std::string& plugin);

}  // namespace ckptbridge

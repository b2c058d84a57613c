#include "plugins/nemo2/dcp_metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/torch_file/pickler.h"
#include "plugins/torch_file/tensor.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge::nemo2 {
namespace {

using testing::HasSubstr;
using torch_file::ValueId;
using torch_file::Values;

// A .metadata of one tensor "w" of [2, 3] in one chunk, as different releases spell it.
class Metadata {
 public:
  ValueId make(const char* module, const char* name, std::vector<torch_file::Item> fields) {
    const ValueId object = values.new_object(values.global(module, name), Values::empty_tuple());
    values.set_state(object, values.dict(std::move(fields)));
    return object;
  }
  torch_file::Item field(const char* name, ValueId value) { return {values.string(name), value}; }
  ValueId size(const std::vector<std::int64_t>& sizes) {
    return torch_file::make_size(values, sizes);
  }

  DcpMetadata read() {
    const char* module = "torch.distributed.checkpoint.metadata";
    const ValueId properties = values.new_object(
        values.global(properties_module, "TensorProperties"), Values::empty_tuple());
    values.set_state(properties,
                     values.tuple({values.global("torch", "bfloat16"), Values::none(),
                                   Values::boolean(true), Values::none(), Values::boolean(false)}));
    const ValueId chunk = make(module, "ChunkStorageMetadata",
                               {field("offsets", size({0, 0})), field("sizes", size(chunk_sizes))});
    const ValueId tensor = make(module, "TensorStorageMetadata",
                                {field("properties", properties), field("size", size({2, 3})),
                                 field("chunks", values.list({chunk}))});
    const ValueId index = make(module, "MetadataIndex",
                               {field("fqn", values.string("w")), field("index", Values::none()),
                                field("offset", size(index_offset))});
    const ValueId info = make(
        "torch.distributed.checkpoint.filesystem", "_StorageInfo",
        {field("relative_path", values.string("__0_0.distcp")), field("offset", values.integer(7)),
         field("length", values.integer(length)), field("transform_descriptors", descriptors)});
    std::vector<torch_file::Item> fields{
        field("state_dict_metadata", values.dict({{values.string("w"), tensor}})),
        field("planner_data", Values::none()), field("storage_data", values.dict({{index, info}}))};
    fields.insert(fields.end(), more.begin(), more.end());
    const auto bytes = torch_file::pickle(values, make(top_module, top, fields));
    return read_dcp_metadata(bytes, ".metadata");
  }

  Values values;
  const char* top_module = "torch.distributed.checkpoint.metadata";
  const char* top = "Metadata";
  const char* properties_module = "torch.distributed.checkpoint.metadata";
  std::vector<std::int64_t> chunk_sizes{2, 3};
  std::vector<std::int64_t> index_offset{0, 0};
  std::int64_t length = 100;
  ValueId descriptors = Values::none();
  std::vector<torch_file::Item> more;
};

TEST(DcpMetadata, SaysWhereEachChunkLies) {
  const DcpMetadata found = Metadata().read();
  ASSERT_EQ(found.tensors.size(), 1u);
  EXPECT_EQ(found.tensors[0].key, "w");
  EXPECT_TRUE(found.tensors[0].dtype == kBFloat16);
  ASSERT_EQ(found.tensors[0].chunks.size(), 1u);
  EXPECT_EQ(found.tensors[0].chunks[0].item.path, "__0_0.distcp");
  EXPECT_EQ(found.tensors[0].chunks[0].item.offset, 7u);
  EXPECT_EQ(found.tensors[0].chunks[0].item.size, 100u);
}

TEST(DcpMetadata, IsReadWithTheClassPathsOfTorch22) {
  Metadata old;
  old.properties_module = "torch.distributed._shard.sharded_tensor.metadata";
  EXPECT_TRUE(old.read().tensors.at(0).dtype == kBFloat16);
}

TEST(DcpMetadata, IsReadWithMegatronsClassAndPlansAndPaths) {
  Metadata megatron;
  megatron.top_module = "megatron.core.dist_checkpointing.strategies.torch";
  megatron.top = "MCoreMetadata";
  Values& v = megatron.values;
  const ValueId plan =
      v.new_object(v.global("megatron.core.dist_checkpointing.strategies.torch", "MCoreSavePlan"),
                   Values::empty_tuple());
  const ValueId path = v.reduce(v.global("pathlib", "PosixPath"), v.tuple({v.string("/tmp/x")}));
  const ValueId meta = megatron.make("torch.distributed.checkpoint.metadata", "StorageMeta",
                                     {megatron.field("checkpoint_id", path)});
  megatron.more = {megatron.field("all_local_plans", v.list({plan})),
                   megatron.field("storage_meta", meta)};
  EXPECT_EQ(megatron.read().tensors.size(), 1u);
}

TEST(DcpMetadata, NamesTensorsThatAreFlattened) {
  Metadata megatron;
  Values& v = megatron.values;
  const ValueId facts = v.dict(
      {{v.string("nd_reformulated_orig_global_shape"), v.tuple({v.integer(2), v.integer(3)})}});
  megatron.more = {
      megatron.field("mcore_data", v.dict({{v.string("w"), facts}, {v.string("x"), v.dict()}}))};
  EXPECT_THAT(megatron.read().flattened, testing::ElementsAre("w"));
}

TEST(DcpMetadata, RefusesItemsThatAreCompressed) {
  Metadata zstd;
  zstd.descriptors = zstd.values.list({zstd.values.string("zstd")});
  EXPECT_THAT(error_of([&] { zstd.read(); }), HasSubstr(".metadata: w: is compressed"));
  Metadata none;
  none.descriptors = none.values.list();
  EXPECT_EQ(error_of([&] { none.read(); }), "");
}

TEST(DcpMetadata, RefusesAChunkThatLiesInNoFile) {
  Metadata other;
  other.index_offset = {1, 0};
  EXPECT_THAT(error_of([&] { other.read(); }),
              HasSubstr(".metadata: w: the chunk at [0, 0] lies in no file"));
}

TEST(DcpMetadata, RefusesAChunkThatDoesNotLieInItsTensor) {
  for (const auto& sizes : {std::vector<std::int64_t>{2, 4}, {2}, {INT64_MAX, 3}}) {
    Metadata large;
    large.chunk_sizes = sizes;
    EXPECT_THAT(error_of([&] { large.read(); }), HasSubstr("does not lie in its [2, 3]"));
  }
}

TEST(DcpMetadata, RefusesNegativeNumbers) {
  Metadata negative;
  negative.length = -1;
  EXPECT_THAT(error_of([&] { negative.read(); }), HasSubstr("w: the length of its item is int -1"));
  Metadata sizes;
  sizes.chunk_sizes = {-2, 3};
  EXPECT_THAT(error_of([&] { sizes.read(); }), HasSubstr("w: its sizes is"));
}

TEST(DcpMetadata, RefusesAnotherObject) {
  Values values;
  const auto bytes = torch_file::pickle(values, values.dict());
  EXPECT_THAT(error_of([&] { read_dcp_metadata(bytes, ".metadata"); }),
              HasSubstr(".metadata: holds dict of 0, expected torch.distributed.checkpoint's"));
}

}  // namespace
}  // namespace ckptbridge::nemo2

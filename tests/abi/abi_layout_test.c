/* The ABI 1.0 in numbers: offset and size of each member, on every 64-bit platform. Compiled
 * against today's header and against the frozen one: a member that moves or changes its size fails
 * the build, and members may only be added behind the last. */
#include CKB_HEADER

#define JOINED_(a, b) a##b
#define JOINED(a, b) JOINED_(a, b)
#define REQUIRE(condition) typedef char JOINED(require_, __LINE__)[(condition) ? 1 : -1]
#define MEMBER(table, member, offset, size)             \
  REQUIRE(offsetof(struct table, member) == (offset) && \
          sizeof(((struct table*)0)->member) == (size))
/* The last member of 1.0, and the size of the whole; a later table may be larger. ckb_dtype never.
 */
#ifdef CKB_FROZEN
#define LAST(table, member, size) REQUIRE(sizeof(struct table) == (size))
#else
#define LAST(table, member, size) REQUIRE(sizeof(struct table) >= (size))
#endif

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-local-typedefs"
#endif

REQUIRE(CKB_ABI_MAJOR == 1);
REQUIRE(CKB_OK == 0 && CKB_INVALID_ARGUMENT == 1 && CKB_NOT_FOUND == 2 && CKB_CORRUPT == 3);
REQUIRE(CKB_UNSUPPORTED == 4 && CKB_IO == 5 && CKB_CANCELLED == 6 && CKB_INTERNAL == 7);
REQUIRE(CKB_EXISTS == 8 && CKB_MEMORY == 9);
REQUIRE(CKB_REPLICATED == -1 && CKB_PARTITION_UNKNOWN == -2);
REQUIRE(CKB_REQUIRES_GRAD == 1 && CKB_IS_PARAMETER == 2);
REQUIRE(sizeof(ckb_status) == 4 && sizeof(ckb_node) == 4 && sizeof(ckb_file) == 4);
REQUIRE(sizeof(struct ckb_dtype) == 4);

MEMBER(ckb_dtype, code, 0, 1);
MEMBER(ckb_dtype, bits, 1, 1);
MEMBER(ckb_dtype, lanes, 2, 2);
LAST(ckb_dtype, lanes, 4);

MEMBER(ckb_tensor, struct_size, 0, 4);
MEMBER(ckb_tensor, ndim, 4, 4);
MEMBER(ckb_tensor, name, 8, 8);
MEMBER(ckb_tensor, role, 16, 8);
MEMBER(ckb_tensor, shape, 24, 8);
MEMBER(ckb_tensor, dtype, 32, 4);
MEMBER(ckb_tensor, value, 36, 4);
MEMBER(ckb_tensor, mp_rank, 40, 4);
MEMBER(ckb_tensor, mp_world_size, 44, 4);
MEMBER(ckb_tensor, partition_dim, 48, 4);
MEMBER(ckb_tensor, flags, 52, 4);
MEMBER(ckb_tensor, row_blocks, 56, 4);
MEMBER(ckb_tensor, position, 60, 4);
LAST(ckb_tensor, position, 64);

MEMBER(ckb_object, struct_size, 0, 4);
MEMBER(ckb_object, mp_rank, 4, 4);
MEMBER(ckb_object, name, 8, 8);
MEMBER(ckb_object, kind, 16, 8);
MEMBER(ckb_object, data, 24, 8);
MEMBER(ckb_object, size, 32, 8);
MEMBER(ckb_object, storages, 40, 8);
MEMBER(ckb_object, storage_count, 48, 4);
MEMBER(ckb_object, position, 52, 4);
LAST(ckb_object, position, 56);

MEMBER(ckb_host, struct_size, 0, 4);
MEMBER(ckb_host, abi_minor, 4, 4);
MEMBER(ckb_host, self, 8, 8);
MEMBER(ckb_host, fail, 16, 8);
MEMBER(ckb_host, log, 24, 8);
MEMBER(ckb_host, cancelled, 32, 8);
MEMBER(ckb_host, extension, 40, 8);
MEMBER(ckb_host, plugin_folder, 48, 8);
MEMBER(ckb_host, open_file, 56, 8);
MEMBER(ckb_host, file_size, 64, 8);
MEMBER(ckb_host, read_file, 72, 8);
MEMBER(ckb_host, add_storage, 80, 8);
MEMBER(ckb_host, add_extent, 88, 8);
MEMBER(ckb_host, add_constant, 96, 8);
MEMBER(ckb_host, slice, 104, 8);
MEMBER(ckb_host, concat, 112, 8);
MEMBER(ckb_host, reshape, 120, 8);
MEMBER(ckb_host, permute, 128, 8);
MEMBER(ckb_host, cast, 136, 8);
MEMBER(ckb_host, add_tensor, 144, 8);
MEMBER(ckb_host, add_object, 152, 8);
MEMBER(ckb_host, set_property, 160, 8);
MEMBER(ckb_host, drop, 168, 8);
MEMBER(ckb_host, drop_object, 176, 8);
MEMBER(ckb_host, drop_untouched, 184, 8);
MEMBER(ckb_host, note, 192, 8);
MEMBER(ckb_host, expect_equal, 200, 8);
MEMBER(ckb_host, tensor_count, 208, 8);
MEMBER(ckb_host, tensor_at, 216, 8);
MEMBER(ckb_host, object_count, 224, 8);
MEMBER(ckb_host, object_at, 232, 8);
MEMBER(ckb_host, property, 240, 8);
MEMBER(ckb_host, add_file, 248, 8);
MEMBER(ckb_host, put_bytes, 256, 8);
MEMBER(ckb_host, put_zeros, 264, 8);
MEMBER(ckb_host, put_value, 272, 8);
MEMBER(ckb_host, put_crc32, 280, 8);
LAST(ckb_host, put_crc32, 288);

MEMBER(ckb_reader, struct_size, 0, 4);
MEMBER(ckb_reader, reserved, 4, 4);
MEMBER(ckb_reader, probe, 8, 8);
MEMBER(ckb_reader, open, 16, 8);
MEMBER(ckb_reader, read_graph, 24, 8);
MEMBER(ckb_reader, close, 32, 8);
LAST(ckb_reader, close, 40);

MEMBER(ckb_transform, struct_size, 0, 4);
MEMBER(ckb_transform, reserved, 4, 4);
MEMBER(ckb_transform, open, 8, 8);
MEMBER(ckb_transform, rewrite, 16, 8);
MEMBER(ckb_transform, close, 24, 8);
LAST(ckb_transform, close, 32);

MEMBER(ckb_writer, struct_size, 0, 4);
MEMBER(ckb_writer, reserved, 4, 4);
MEMBER(ckb_writer, open, 8, 8);
MEMBER(ckb_writer, lay_out, 16, 8);
MEMBER(ckb_writer, close, 24, 8);
LAST(ckb_writer, close, 32);

MEMBER(ckb_plugin, struct_size, 0, 4);
MEMBER(ckb_plugin, abi_minor, 4, 4);
MEMBER(ckb_plugin, id, 8, 8);
MEMBER(ckb_plugin, version, 16, 8);
MEMBER(ckb_plugin, reader, 24, 8);
MEMBER(ckb_plugin, transform, 32, 8);
MEMBER(ckb_plugin, writer, 40, 8);
MEMBER(ckb_plugin, extension, 48, 8);
LAST(ckb_plugin, extension, 56);

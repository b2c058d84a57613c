/* One plugin of all three roles, built with headers of different ages (CKB_HEADER), to be loaded by
 * today's host. It reads data.bin as one tensor "w" of bytes, hands tensors on, and writes each to
 * a file. Built with CKB_NEWER, its header has ten more members in each table: it must see them
 * absent in the host's, and the host must not touch them in its own. */
#include <stdlib.h>
#include <string.h>

#include CKB_HEADER

#define TRY(call)                          \
  do {                                     \
    const ckb_status status_ = (call);     \
    if (status_ != CKB_OK) return status_; \
  } while (0)

static const ckb_host* host;

static int32_t probe(const char* path) { return path[0] != '\0'; }

static ckb_status open_reader(const char* path, const char* options, void** self,
                              ckb_error* error) {
  if (path == NULL || options == NULL) return host->fail(error, CKB_INTERNAL, "a string is NULL");
  *self = NULL;
  return CKB_OK;
}

static ckb_status open_other(const char* options, void** self, ckb_error* error) {
  return open_reader("", options, self, error);
}

static void close_any(void* self) { (void)self; }

/* A tensor whose unknown members, if this header has any, hold what no host may act on. */
static ckb_tensor new_tensor(void) {
  ckb_tensor tensor;
  memset(&tensor, 0xff, sizeof(tensor));
  tensor.struct_size = sizeof(tensor);
  tensor.mp_rank = 0;
  tensor.mp_world_size = 1;
  tensor.partition_dim = CKB_REPLICATED;
  tensor.flags = 0;
  tensor.row_blocks = 0;
  return tensor;
}

static ckb_status read_graph(void* self, ckb_graph* out, ckb_error* error) {
  (void)self;
  const char* path = "data.bin";
  ckb_file file = 0;
  TRY(host->open_file(out, 1, &path, &file, error));
  const int64_t size = (int64_t)host->file_size(out, file);
  const ckb_dtype bytes = {1, 8, 1};
  ckb_tensor tensor = new_tensor();
  tensor.name = "w";
  tensor.role = "param";
  tensor.ndim = 1;
  tensor.shape = &size;
  tensor.dtype = bytes;
  TRY(host->add_storage(out, file, 0, (uint64_t)size, error));
  TRY(host->add_extent(out, file, 0, bytes, 1, &size, NULL, &tensor.value, error));
  TRY(host->add_tensor(out, &tensor, error));
  ckb_object object;
  memset(&object, 0xff, sizeof(object));
  object.struct_size = sizeof(object);
  object.mp_rank = 0;
  object.name = "note";
  object.kind = "bytes";
  object.data = "hello";
  object.size = 5;
  object.storages = NULL;
  object.storage_count = 0;
  return host->add_object(out, &object, error);
}

static ckb_status rewrite(void* self, const ckb_graph* in, ckb_graph* out, ckb_error* error) {
  (void)self;
  for (uint64_t i = 0; i < host->tensor_count(in); ++i) {
    ckb_tensor tensor = new_tensor();
    TRY(host->tensor_at(in, i, &tensor, error));
    if (tensor.struct_size != sizeof(tensor)) {
      return host->fail(error, CKB_INTERNAL, "the host changed struct_size");
    }
    TRY(host->add_tensor(out, &tensor, error));
  }
  for (uint64_t i = 0; i < host->object_count(in); ++i) {
    ckb_object object;
    memset(&object, 0, sizeof(object));
    object.struct_size = sizeof(object);
    TRY(host->object_at(in, i, &object, error));
    TRY(host->add_object(out, &object, error));
  }
  return host->set_property(out, "age", CKB_AGE, error);
}

static ckb_status lay_out(void* self, ckb_graph* graph, ckb_layout* out, ckb_error* error) {
  (void)self;
  for (uint64_t i = 0; i < host->tensor_count(graph); ++i) {
    ckb_tensor tensor = new_tensor();
    uint32_t file = 0;
    TRY(host->tensor_at(graph, i, &tensor, error));
    TRY(host->add_file(out, tensor.name, (uint64_t)tensor.shape[0], &file, error));
    TRY(host->put_value(out, file, 0, tensor.value, error));
  }
  for (uint64_t i = 0; i < host->object_count(graph); ++i) {
    ckb_object object;
    memset(&object, 0, sizeof(object));
    object.struct_size = sizeof(object);
    uint32_t file = 0;
    TRY(host->object_at(graph, i, &object, error));
    TRY(host->add_file(out, object.name, object.size, &file, error));
    TRY(host->put_bytes(out, file, 0, object.data, object.size, error));
  }
  return CKB_OK;
}

#ifdef CKB_NEWER
/* Members that today's host does not know: calling one would end the process. */
#define FUTURE_0 (void (*)(void)) abort,
#define FUTURE                                                                        \
  , FUTURE_0 FUTURE_0 FUTURE_0 FUTURE_0 FUTURE_0 FUTURE_0 FUTURE_0 FUTURE_0 FUTURE_0( \
        void (*)(void)) abort
#else
#define FUTURE
#endif

#ifndef CKB_CUT
#define CKB_CUT 0 /* bytes by which the tables are shorter than this header's */
#endif

CKB_EXPORT const ckb_plugin* ckptbridge_plugin_v1(const ckb_host* given) {
  static const ckb_reader reader = {sizeof(reader) - CKB_CUT, 0, probe, open_reader, read_graph,
                                    close_any FUTURE};
  static const ckb_transform transform = {sizeof(transform) - CKB_CUT, 0, open_other, rewrite,
                                          close_any FUTURE};
  static const ckb_writer writer = {sizeof(writer) - CKB_CUT, 0, open_other, lay_out,
                                    close_any FUTURE};
  static const ckb_plugin plugin = {sizeof(plugin), CKB_ABI_MINOR, "age." CKB_AGE, "1",
                                    &reader,        &transform,    &writer,        NULL FUTURE};
#ifdef CKB_NEWER
  if (CKB_HAS(given, future_0)) abort();
#endif
  host = given;
  return &plugin;
}

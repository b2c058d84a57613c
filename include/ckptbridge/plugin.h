/* The ckptbridge plugin ABI, major version 1.
 *
 * A plugin is a shared library that exports one function, ckptbridge_plugin_v1, beside a manifest,
 * <id>.json. Only C crosses this boundary: integers, UTF-8 strings, borrowed pointers and tables
 * of functions.
 *
 *     open -> read_graph -> rewrite -> lay_out -> (the host: plan, check, execute, commit)
 *     '----- reader ----'  transform    writer
 *
 * Rules for every function here:
 *   Pointers  are borrowed until the call returns. Copy what you keep.
 *   Memory    is freed by the side that made it. Nothing is handed over.
 *   Errors    are a ckb_status. Before you return one, call host->fail() with a message.
 *   Throwing  across the boundary is undefined. Use plugin.hpp, whose thunks catch.
 *   Strings   are NUL-terminated UTF-8 and never NULL. Options are one JSON object.
 *   Threads   call an object one at a time, except where [any-thread] is written.
 *   Growth    is at the end of a table. Guard members newer than 1.0 with CKB_HAS().
 */
#ifndef CKPTBRIDGE_PLUGIN_H_
#define CKPTBRIDGE_PLUGIN_H_

#include <stddef.h>
#include <stdint.h>

#define CKB_ABI_MAJOR 1 /* a new one renames the entry point: ckptbridge_plugin_v2 */
#define CKB_ABI_MINOR 0 /* rises when a table grows */

#if defined(_WIN32)
#define CKB_EXPORT __declspec(dllexport)
#define CKB_LOCAL
#else
#define CKB_EXPORT __attribute__((visibility("default")))
#define CKB_LOCAL __attribute__((visibility("hidden")))
#endif

/* True if the side that made *table knows member. */
#define CKB_HAS(table, member) \
  ((table)->struct_size >= (size_t)((const char*)(&(table)->member + 1) - (const char*)(table)))

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t ckb_status;
enum {
  CKB_OK = 0,
  CKB_INVALID_ARGUMENT = 1, /* the user can fix it: an option, a path */
  CKB_NOT_FOUND = 2,
  CKB_CORRUPT = 3,     /* the input contradicts its own format */
  CKB_UNSUPPORTED = 4, /* valid, but this plugin cannot convert it */
  CKB_IO = 5,
  CKB_CANCELLED = 6,
  CKB_INTERNAL = 7, /* a bug in the plugin */
  CKB_EXISTS = 8,   /* the output is there already; the host's only */
  CKB_MEMORY = 9    /* the memory bound cannot be met; the host's only */
};

/* Element type; the layout and the codes of DLPack's DLDataType. bfloat16 is {4, 16, 1}. */
typedef struct ckb_dtype {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
} ckb_dtype;

/* A value in a graph: an extent of a file, or an operation on other values. Never 0. */
typedef uint32_t ckb_node;

/* A logical input file: one physical file, or pieces that follow each other. Never 0. */
typedef uint32_t ckb_file;

enum { CKB_REPLICATED = -1, CKB_PARTITION_UNKNOWN = -2 };
enum { CKB_REQUIRES_GRAD = 1u, CKB_IS_PARAMETER = 2u };

/* A named tensor as one model-parallel rank holds it. Whole: mp_rank 0 of 1. */
typedef struct ckb_tensor {
  uint32_t struct_size;
  uint32_t ndim;
  const char* name;     /* "sequential.2.mlp.w1.weight"; unique with (role, mp_rank) */
  const char* role;     /* "param", "buffer", "exp_avg", "exp_avg_sq" */
  const int64_t* shape; /* ndim sizes of this shard, equal to the shape of value */
  ckb_dtype dtype;      /* equal to the dtype of value */
  ckb_node value;       /* same node in two tensors: one storage, tied */
  int32_t mp_rank;      /* 0 <= mp_rank < mp_world_size */
  int32_t mp_world_size;
  int32_t partition_dim; /* >= 0, CKB_REPLICATED or CKB_PARTITION_UNKNOWN */
  uint32_t flags;        /* CKB_REQUIRES_GRAD | CKB_IS_PARAMETER */
  uint32_t row_blocks;   /* wanted chunks along dim 0 (fc1: 2); 0: as the writer likes */
  uint32_t position;     /* out: order among tensors and objects of the graph */
} ckb_tensor;

/* State that is no tensor. In a "pickle" (protocol 2), the persistent id of a storage is
 * ('storage', class, 'N', 'cpu', count) and N is an index into storages. */
typedef struct ckb_object {
  uint32_t struct_size;
  int32_t mp_rank;
  const char* name;
  const char* kind; /* "json", "pickle", "bytes" */
  const void* data;
  uint64_t size;
  const ckb_node* storages; /* 1-D; NULL when storage_count is 0 */
  uint32_t storage_count;
  uint32_t position; /* out */
} ckb_object;

typedef struct ckb_error ckb_error;   /* collects one message for the user */
typedef struct ckb_graph ckb_graph;   /* what a checkpoint holds and where its bytes are */
typedef struct ckb_layout ckb_layout; /* which bytes go where in which output file */

typedef struct ckb_host ckb_host;

/* What ckptbridge offers a plugin: one table for all runs, which stays where it is until the
 * process ends. Keep the pointer, and call from threads of your own, also between runs. log,
 * cancelled and plugin_folder speak to the run that began last; between runs log does nothing, and
 * the others return 0 and "". */
struct ckb_host {
  uint32_t struct_size;
  uint32_t abi_minor;
  void* self; /* the host's own */

  /* [any-thread] Sets the message of error and returns code. */
  ckb_status (*fail)(ckb_error* error, ckb_status code, const char* message);
  /* [any-thread] level: 0 debug, 1 info, 2 warning. */
  void (*log)(const ckb_host*, int32_t level, const char* message);
  /* [any-thread] Non-zero once the user has asked to stop. Return CKB_CANCELLED soon after. */
  int32_t (*cancelled)(const ckb_host*);
  /* [any-thread] A table named "name/revision", or NULL. */
  const void* (*extension)(const ckb_host*, const char* id);
  /* [any-thread] The folder of the manifest of plugin id, where its data files lie; "" if there is
   * no such plugin. */
  const char* (*plugin_folder)(const ckb_host*, const char* id);

  /* The one door to the input. count pieces make one logical file; relative paths start at the
   * checkpoint. The host keeps size and mtime, and stops the run when they change. */
  ckb_status (*open_file)(ckb_graph*, uint32_t count, const char* const* paths, ckb_file* out,
                          ckb_error*);
  uint64_t (*file_size)(const ckb_graph*, ckb_file);
  /* [any-thread] */
  ckb_status (*read_file)(const ckb_graph*, ckb_file, uint64_t offset, uint64_t size, void* data,
                          ckb_error*);

  /* Declares bytes that hold tensor data. Coverage is proved over the declared bytes. */
  ckb_status (*add_storage)(ckb_graph*, ckb_file, uint64_t offset, uint64_t size, ckb_error*);

  /* Build a graph. Each checks its arguments, so a bad shape fails here and not while writing.
   * Nodes live in one arena per run: a node of one graph is valid in the next. */
  /* strides in elements, NULL: contiguous. Must lie inside a declared storage. */
  ckb_status (*add_extent)(ckb_graph*, ckb_file, uint64_t offset, ckb_dtype, uint32_t ndim,
                           const int64_t* shape, const int64_t* strides, ckb_node* out, ckb_error*);
  /* A value that lies in no file; data is copied. At most 64 KiB: a graph describes, it does not
   * hold tensors. */
  ckb_status (*add_constant)(ckb_graph*, ckb_dtype, uint32_t ndim, const int64_t* shape,
                             const void* data, ckb_node* out, ckb_error*);
  ckb_status (*slice)(ckb_graph*, ckb_node, uint32_t dim, int64_t begin, int64_t end, ckb_node* out,
                      ckb_error*);
  ckb_status (*concat)(ckb_graph*, uint32_t count, const ckb_node*, uint32_t dim, ckb_node* out,
                       ckb_error*);
  ckb_status (*reshape)(ckb_graph*, ckb_node, uint32_t ndim, const int64_t* shape, ckb_node* out,
                        ckb_error*);
  ckb_status (*permute)(ckb_graph*, ckb_node, uint32_t ndim, const uint32_t* dims, ckb_node* out,
                        ckb_error*);
  ckb_status (*cast)(ckb_graph*, ckb_node, ckb_dtype, ckb_node* out, ckb_error*);
  ckb_status (*add_tensor)(ckb_graph*, const ckb_tensor*, ckb_error*);
  ckb_status (*add_object)(ckb_graph*, const ckb_object*, ckb_error*);
  /* A fact about the graph that writers ask for: "names" = "savanna". */
  ckb_status (*set_property)(ckb_graph*, const char* key, const char* value, ckb_error*);
  /* Leaves a value, or an object by name, out on purpose. */
  ckb_status (*drop)(ckb_graph*, ckb_node, const char* reason, ckb_error*);
  ckb_status (*drop_object)(ckb_graph*, const char* name, const char* reason, ckb_error*);
  /* Leaves out those bytes of a declared storage that no extent made so far touches: padding and
   * tails. A storage that no extent touches at all is refused: it was forgotten. */
  ckb_status (*drop_untouched)(ckb_graph*, ckb_file, uint64_t offset, uint64_t size,
                               const char* reason, ckb_error*);
  /* Adds a line to the summary that the user reads after the run, in the order of the calls. */
  ckb_status (*note)(ckb_graph*, const char* text, ckb_error*);
  /* Both are compared byte for byte before the first byte is written; other counts as checked in
   * the coverage. warn_only 0: a difference fails the run, after all differences are listed. */
  ckb_status (*expect_equal)(ckb_graph*, ckb_node kept, ckb_node other, const char* what,
                             int32_t warn_only, ckb_error*);

  /* Inspect a graph. Set out->struct_size; what *out points to is borrowed from the graph. */
  uint64_t (*tensor_count)(const ckb_graph*);
  ckb_status (*tensor_at)(const ckb_graph*, uint64_t index, ckb_tensor* out, ckb_error*);
  uint64_t (*object_count)(const ckb_graph*);
  ckb_status (*object_at)(const ckb_graph*, uint64_t index, ckb_object* out, ckb_error*);
  const char* (*property)(const ckb_graph*, const char* key); /* "" when not set */

  /* Describe the output. Paths are relative to the destination and may not leave it. Bytes that
   * nothing is put at are zero only where put_zeros says so; any other hole is an error. */
  ckb_status (*add_file)(ckb_layout*, const char* path, uint64_t size, uint32_t* out_file,
                         ckb_error*);
  ckb_status (*put_bytes)(ckb_layout*, uint32_t file, uint64_t offset, const void* data,
                          uint64_t size, ckb_error*);
  ckb_status (*put_zeros)(ckb_layout*, uint32_t file, uint64_t offset, uint64_t size, ckb_error*);
  /* The elements of node, row-major and contiguous, from offset on. */
  ckb_status (*put_value)(ckb_layout*, uint32_t file, uint64_t offset, ckb_node, ckb_error*);
  /* The CRC-32 of [from, from + size) of file, 4 bytes little-endian, at offset. Known last.
   * Ranges are equal or disjoint, and contain no such field. */
  ckb_status (*put_crc32)(ckb_layout*, uint32_t file, uint64_t offset, uint64_t from, uint64_t size,
                          ckb_error*);
};

/* Turns a checkpoint on disk into a graph. */
typedef struct ckb_reader {
  uint32_t struct_size;
  uint32_t reserved;
  /* 0: not this format; 100: certain. Looks at names and first bytes only. Below 0: they could not
   * be read, so that open or read_graph will tell why. */
  int32_t (*probe)(const char* path);
  ckb_status (*open)(const char* path, const char* options, void** self, ckb_error*);
  ckb_status (*read_graph)(void* self, ckb_graph* out, ckb_error*);
  void (*close)(void* self);
} ckb_reader;

/* Turns one graph into another. Rewrites values; never touches their bytes. */
typedef struct ckb_transform {
  uint32_t struct_size;
  uint32_t reserved;
  ckb_status (*open)(const char* options, void** self, ckb_error*);
  /* out shares the nodes of in, and starts without its tensors, objects and properties. */
  ckb_status (*rewrite)(void* self, const ckb_graph* in, ckb_graph* out, ckb_error*);
  void (*close)(void* self);
} ckb_transform;

/* Says what files a graph becomes. Writes nothing: the host fills the layout. */
typedef struct ckb_writer {
  uint32_t struct_size;
  uint32_t reserved;
  ckb_status (*open)(const char* options, void** self, ckb_error*);
  /* May add slices and casts to graph; adds no tensor. */
  ckb_status (*lay_out)(void* self, ckb_graph* graph, ckb_layout* out, ckb_error*);
  void (*close)(void* self);
} ckb_writer;

/* What a plugin offers ckptbridge. Static; lives as long as the process. */
typedef struct ckb_plugin {
  uint32_t struct_size;
  uint32_t abi_minor;       /* CKB_ABI_MINOR it was built with */
  const char* id;           /* equals "id" in the manifest, else it is refused */
  const char* version;      /* equals "version" in the manifest */
  const ckb_reader* reader; /* NULL in a role it does not have */
  const ckb_transform* transform;
  const ckb_writer* writer;
  const void* (*extension)(const char* id); /* may be NULL */
} ckb_plugin;

/* The entry point. It does no work, and returns the same table each time; NULL if the host is too
 * old. */
typedef const ckb_plugin* (*ckb_entry)(const ckb_host* host);
CKB_EXPORT const ckb_plugin* ckptbridge_plugin_v1(const ckb_host* host);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* CKPTBRIDGE_PLUGIN_H_ */

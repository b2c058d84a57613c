/* acme.npy-reader: a folder of NumPy arrays, one tensor in each NAME.npy. In C99, over plugin.h.
 *
 *   "\x93NUMPY"  6 bytes
 *   version      2 bytes: 1 0, 2 0 or 3 0
 *   header size  2 bytes little-endian; 4 from version 2 on
 *   header       {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } and blanks
 *   elements     to the end of the file
 */
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ckptbridge/plugin.h"

enum { MOST_FILES = 10000, MOST_DIMS = 32, LARGEST_HEADER = 65535 };

static const ckb_host* host;

typedef struct npy_reader {
  char* path;
} npy_reader;

/* One array as its header describes it. */
typedef struct npy_array {
  ckb_dtype dtype;
  int fortran_order;
  uint32_t ndim;
  int64_t shape[MOST_DIMS];
} npy_array;

static ckb_status fail(ckb_error* error, ckb_status code, const char* format, ...) {
  char message[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof(message), format, arguments);
  va_end(arguments);
  return host->fail(error, code, message);
}

static int is_array_name(const char* name) {
  const size_t size = strlen(name);
  return size > 4 && strcmp(name + size - 4, ".npy") == 0;
}

static int by_name(const void* a, const void* b) {
  return strcmp(*(char* const*)a, *(char* const*)b);
}

static void free_names(char** names, size_t count) {
  for (size_t i = 0; i < count; ++i) free(names[i]);
  free(names);
}

/* The names of all arrays in the folder, sorted: the order of a folder depends on the disk. */
static ckb_status list_names(const char* folder, char*** out, size_t* out_count, ckb_error* error) {
  DIR* dir = opendir(folder);
  if (dir == NULL)
    return fail(error, CKB_NOT_FOUND, "%s: is not a folder that can be read", folder);
  char** names = calloc(MOST_FILES, sizeof(*names));
  size_t count = 0;
  ckb_status status = names == NULL ? fail(error, CKB_INTERNAL, "out of memory") : CKB_OK;
  for (struct dirent* item; status == CKB_OK && (item = readdir(dir)) != NULL;) {
    if (!is_array_name(item->d_name)) continue;
    if (count == MOST_FILES) {
      status = fail(error, CKB_UNSUPPORTED, "%s: more than %d arrays", folder, MOST_FILES);
    } else if ((names[count] = strdup(item->d_name)) == NULL) {
      status = fail(error, CKB_INTERNAL, "out of memory");
    } else {
      ++count;
    }
  }
  closedir(dir);
  if (status == CKB_OK && count == 0) {
    status = fail(error, CKB_NOT_FOUND, "%s: has no file NAME.npy", folder);
  }
  if (status != CKB_OK) {
    free_names(names, count);
    return status;
  }
  qsort(names, count, sizeof(*names), by_name);
  *out = names;
  *out_count = count;
  return CKB_OK;
}

/* Where the value of 'key' begins in the header; NULL if it has none. */
static const char* value_of(const char* header, const char* key) {
  const char* found = strstr(header, key);
  return found == NULL ? NULL : found + strlen(key);
}

static int parse_dtype(const char* text, ckb_dtype* out) {
  static const struct {
    const char* name;
    ckb_dtype dtype;
  } known[] = {{"'<f8'", {2, 64, 1}}, {"'<f4'", {2, 32, 1}}, {"'<f2'", {2, 16, 1}},
               {"'<i8'", {0, 64, 1}}, {"'<i4'", {0, 32, 1}}, {"'<i2'", {0, 16, 1}},
               {"'|i1'", {0, 8, 1}},  {"'|u1'", {1, 8, 1}},  {"'|b1'", {6, 8, 1}}};
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); ++i) {
    if (strncmp(text, known[i].name, strlen(known[i].name)) == 0) {
      *out = known[i].dtype;
      return 1;
    }
  }
  return 0;
}

/* "(2, 3)", "(5,)" or "()". */
static int parse_shape(const char* text, npy_array* out) {
  if (*text++ != '(') return 0;
  while (*text != ')') {
    char* end = NULL;
    const long long size = strtoll(text, &end, 10);
    if (end == text || size < 0 || out->ndim == MOST_DIMS) return 0;
    out->shape[out->ndim++] = size;
    text = end;
    while (*text == ',' || *text == ' ') ++text;
  }
  return 1;
}

static ckb_status parse_header(const char* name, const char* header, npy_array* out,
                               ckb_error* error) {
  const char* descr = value_of(header, "'descr': ");
  const char* order = value_of(header, "'fortran_order': ");
  const char* shape = value_of(header, "'shape': ");
  memset(out, 0, sizeof(*out));
  if (descr == NULL || order == NULL || shape == NULL || !parse_shape(shape, out)) {
    return fail(error, CKB_CORRUPT, "%s: not a header of NumPy: %.200s", name, header);
  }
  if (!parse_dtype(descr, &out->dtype)) {
    return fail(error, CKB_UNSUPPORTED, "%s: dtype %.10s is not supported", name, descr);
  }
  out->fortran_order = strncmp(order, "True", 4) == 0;
  return CKB_OK;
}

/* Reads the header of a file; *data_offset: where the elements begin. */
static ckb_status read_header(const char* name, ckb_graph* graph, ckb_file file, npy_array* out,
                              uint64_t* data_offset, ckb_error* error) {
  unsigned char start[12];
  const uint64_t size = host->file_size(graph, file);
  if (size < sizeof(start)) {
    return fail(error, CKB_CORRUPT, "%s: %llu bytes are too few", name, (unsigned long long)size);
  }
  ckb_status status = host->read_file(graph, file, 0, sizeof(start), start, error);
  if (status != CKB_OK) return status;
  if (memcmp(start, "\x93NUMPY", 6) != 0 || start[6] < 1 || start[6] > 3) {
    return fail(error, CKB_CORRUPT, "%s: does not begin as an array of NumPy does", name);
  }
  const uint64_t begin = start[6] == 1 ? 10 : 12;
  uint64_t header_size = start[8] | (uint64_t)start[9] << 8;
  if (start[6] > 1) header_size |= (uint64_t)start[10] << 16 | (uint64_t)start[11] << 24;
  if (header_size > LARGEST_HEADER || begin + header_size > size) {
    return fail(error, CKB_CORRUPT, "%s: a header of %llu bytes in a file of %llu", name,
                (unsigned long long)header_size, (unsigned long long)size);
  }
  char* header = calloc(1, header_size + 1);
  if (header == NULL) return fail(error, CKB_INTERNAL, "out of memory");
  status = host->read_file(graph, file, begin, header_size, header, error);
  if (status == CKB_OK) status = parse_header(name, header, out, error);
  free(header);
  *data_offset = begin + header_size;
  return status;
}

/* The elements as a node: of an array in Fortran's order, those of its transpose, permuted. */
static ckb_status add_elements(ckb_graph* graph, ckb_file file, uint64_t offset,
                               const npy_array* array, ckb_node* out, ckb_error* error) {
  if (!array->fortran_order) {
    return host->add_extent(graph, file, offset, array->dtype, array->ndim, array->shape, NULL, out,
                            error);
  }
  int64_t reversed[MOST_DIMS];
  uint32_t dims[MOST_DIMS];
  for (uint32_t i = 0; i < array->ndim; ++i) {
    dims[i] = array->ndim - 1 - i;
    reversed[i] = array->shape[dims[i]];
  }
  ckb_node transposed = 0;
  const ckb_status status = host->add_extent(graph, file, offset, array->dtype, array->ndim,
                                             reversed, NULL, &transposed, error);
  if (status != CKB_OK) return status;
  return host->permute(graph, transposed, array->ndim, dims, out, error);
}

static ckb_status add_array(const char* file_name, ckb_graph* graph, ckb_error* error) {
  ckb_file file = 0;
  ckb_status status = host->open_file(graph, 1, &file_name, &file, error);
  if (status != CKB_OK) return status;
  npy_array array;
  uint64_t offset = 0;
  status = read_header(file_name, graph, file, &array, &offset, error);
  if (status != CKB_OK) return status;

  /* Whatever follows the header must be elements: a tail would be a storage that no extent uses. */
  ckb_node value = 0;
  status = host->add_storage(graph, file, offset, host->file_size(graph, file) - offset, error);
  if (status == CKB_OK) status = add_elements(graph, file, offset, &array, &value, error);
  if (status != CKB_OK) return status;

  char* name = strdup(file_name);
  if (name == NULL) return fail(error, CKB_INTERNAL, "out of memory");
  name[strlen(name) - 4] = '\0';
  const ckb_tensor tensor = {.struct_size = sizeof(tensor),
                             .ndim = array.ndim,
                             .name = name,
                             .role = "param",
                             .shape = array.shape,
                             .dtype = array.dtype,
                             .value = value,
                             .mp_rank = 0,
                             .mp_world_size = 1,
                             .partition_dim = CKB_REPLICATED};
  status = host->add_tensor(graph, &tensor, error);
  free(name);
  return status;
}

static int32_t probe(const char* path) {
  DIR* dir = opendir(path);
  if (dir == NULL) return 0;
  int32_t result = 0;
  for (struct dirent* item; result == 0 && (item = readdir(dir)) != NULL;) {
    if (is_array_name(item->d_name)) result = 50;
  }
  closedir(dir);
  return result;
}

static ckb_status open_reader(const char* path, const char* options, void** self,
                              ckb_error* error) {
  (void)options; /* the manifest declares none, so the host gives {} */
  npy_reader* reader = malloc(sizeof(*reader));
  if (reader == NULL) return fail(error, CKB_INTERNAL, "out of memory");
  reader->path = strdup(path);
  if (reader->path == NULL) {
    free(reader);
    return fail(error, CKB_INTERNAL, "out of memory");
  }
  *self = reader;
  return CKB_OK;
}

static ckb_status read_graph(void* self, ckb_graph* out, ckb_error* error) {
  const npy_reader* reader = self;
  char** names = NULL;
  size_t count = 0;
  ckb_status status = list_names(reader->path, &names, &count, error);
  if (status != CKB_OK) return status;
  for (size_t i = 0; status == CKB_OK && i < count; ++i) {
    status = host->cancelled(host) ? CKB_CANCELLED : add_array(names[i], out, error);
  }
  free_names(names, count);
  if (status == CKB_OK) status = host->set_property(out, "names", "acme-npy", error);
  if (status == CKB_OK) status = host->set_property(out, "mp_world_size", "1", error);
  return status;
}

static void close_reader(void* self) {
  npy_reader* reader = self;
  if (reader == NULL) return;
  free(reader->path);
  free(reader);
}

CKB_EXPORT const ckb_plugin* ckptbridge_plugin_v1(const ckb_host* given) {
  static const ckb_reader reader = {sizeof(reader), 0,          probe,
                                    open_reader,    read_graph, close_reader};
  static const ckb_plugin plugin = {
      sizeof(plugin), CKB_ABI_MINOR, "acme.npy-reader", CKPTBRIDGE_VERSION, &reader, NULL,
      NULL,           NULL};
  host = given;
  return &plugin;
}

#include "core/plugin_host/host.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <mutex>
#include <new>
#include <set>
#include <shared_mutex>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "ckptbridge/draft/checksums.h"
#include "ckptbridge/draft/error_about.h"

namespace ckptbridge {
namespace {

// What stands behind the table, for all runs of the process.
struct HostState {
  ckb_host table{};
  // Plugins hold it shared while they are within a service, so that no run ends meanwhile.
  std::shared_mutex runs_mutex;
  std::vector<const HostServices*> runs;  // in the order in which they began
  std::mutex folders_mutex;
  std::set<std::string> folders;  // plugins keep pointers into these
};

ckb_status report(ckb_error* error, ckb_status code, const char* message,
                  const About& about = {}) noexcept {
  try {
    if (error != nullptr) *error = {message, about};
  } catch (...) {
    // Out of memory while reporting: the status still tells.
  }
  return code;
}

// Runs the body of a host function; what it throws becomes a status and a message.
template <class Body>
ckb_status guard(ckb_error* error, Body&& body) noexcept {
  try {
    body();
    return CKB_OK;
  } catch (const Error& e) {
    return report(error, e.code(), e.what(), e.about());
  } catch (const std::bad_alloc&) {
    return report(error, CKB_INTERNAL, "out of memory");
  } catch (const std::exception& e) {
    return report(error, CKB_INTERNAL, e.what());
  }
}

// As guard(), for functions that return a node or a file through *out.
template <class Out, class Body>
ckb_status give(Out* out, ckb_error* error, Body&& body) noexcept {
  return guard(error, [&] { *out = body(); });
}

template <class T>
std::span<const T> view(const T* data, std::uint64_t count) {
  return {data, data == nullptr ? 0 : static_cast<std::size_t>(count)};
}

std::span<const std::byte> bytes_of(const void* data, std::uint64_t size) {
  return view(static_cast<const std::byte*>(data), size);
}

// Calls body with the services of the run that began last; between runs, does nothing.
template <class Body>
void with_services(const ckb_host* host, Body&& body) noexcept {
  auto& state = *static_cast<HostState*>(host->self);
  guard(nullptr, [&] {
    const std::shared_lock lock(state.runs_mutex);
    if (!state.runs.empty()) body(*state.runs.back());
  });
}

// The part of *given that both sides know; the rest stays as T{} has it.
template <class T>
T known_part(const T* given) {
  T result{};
  std::memcpy(&result, given, std::min<std::size_t>(given->struct_size, sizeof(T)));
  return result;
}

// Fills what both sides know of *out.
template <class T>
void give_part(const T& value, T* out) {
  const std::uint32_t size = out->struct_size;
  std::memcpy(out, &value, std::min<std::size_t>(size, sizeof(T)));
  out->struct_size = size;
}

void require_index(std::uint64_t index, std::size_t count, const char* what) {
  if (index >= count) {
    throw Error(CKB_INVALID_ARGUMENT,
                std::string(what) + " " + std::to_string(index) + " of " + std::to_string(count));
  }
}

void add_tensor(Graph& graph, const ckb_tensor& given) {
  const Nodes& nodes = graph.arena().nodes;
  nodes.require(given.value);
  const auto shape = nodes.shape(given.value);
  const auto said = view(given.shape, given.ndim);
  if (!std::ranges::equal(shape, said) || nodes.dtype(given.value) != given.dtype) {
    throw Error(CKB_INVALID_ARGUMENT,
                std::string(given.name) + ": " + shape_text(said) + " of " +
                    dtype_name(given.dtype) + ", but its value is " + shape_text(shape) + " of " +
                    dtype_name(nodes.dtype(given.value)),
                {.tensor = given.name});
  }
  graph.add_tensor({given.name, given.role, given.value, given.mp_rank, given.mp_world_size,
                    given.partition_dim, given.flags, given.row_blocks, 0});
}

void tensor_at(const Graph& graph, std::uint64_t index, ckb_tensor* out) {
  require_index(index, graph.tensors().size(), "tensor");
  const Tensor& tensor = graph.tensors()[index];
  const Nodes& nodes = graph.arena().nodes;
  give_part({0, static_cast<std::uint32_t>(tensor.shape.size()), tensor.name.c_str(),
             tensor.role.c_str(), tensor.shape.data(), nodes.dtype(tensor.value), tensor.value,
             tensor.mp_rank, tensor.mp_world_size, tensor.partition_dim, tensor.flags,
             tensor.row_blocks, tensor.position},
            out);
}

void add_object(Graph& graph, const ckb_object& given) {
  const auto data = bytes_of(given.data, given.size);
  const auto storages = view(given.storages, given.storage_count);
  graph.add_object({given.name,
                    given.kind,
                    {data.begin(), data.end()},
                    {storages.begin(), storages.end()},
                    given.mp_rank,
                    0});
}

void object_at(const Graph& graph, std::uint64_t index, ckb_object* out) {
  require_index(index, graph.objects().size(), "object");
  const Object& object = graph.objects()[index];
  give_part({0, object.mp_rank, object.name.c_str(), object.kind.c_str(), object.data.data(),
             object.data.size(), object.storages.data(),
             static_cast<std::uint32_t>(object.storages.size()), object.position},
            out);
}

constexpr ckb_error_about error_about = {
    sizeof(ckb_error_about), 0,
    [](ckb_error* error, const char* file, const char* tensor, const char* hint) {
      guard(nullptr, [&] {
        if (error != nullptr) error->about = {file, tensor, hint};
      });
    }};

void fill_services(ckb_host& t) {
  t.fail = [](ckb_error* error, ckb_status code, const char* message) {
    return report(error, code, message);
  };
  t.log = [](const ckb_host* host, std::int32_t level, const char* message) {
    with_services(host, [&](const HostServices& services) {
      if (services.log) services.log(level, message);
    });
  };
  t.cancelled = [](const ckb_host* host) -> std::int32_t {
    bool stop = false;
    with_services(host, [&](const HostServices& services) {
      stop = services.cancelled && services.cancelled();
    });
    return stop ? 1 : 0;
  };
  t.extension = [](const ckb_host*, const char* id) -> const void* {
    static constexpr ckb_checksums kChecksums{
        sizeof(ckb_checksums), 0,
        [](ckb_graph* g, ckb_file file, std::uint64_t offset, std::uint64_t size, std::uint32_t crc,
           const char* what, ckb_error* error) {
          return guard(error, [&] { g->graph.expect_crc32(file, offset, size, crc, what); });
        }};
    const std::string_view name(id);
    if (name == CKB_ERROR_ABOUT) return &error_about;
    return name == CKB_CHECKSUMS ? &kChecksums : nullptr;
  };
  t.plugin_folder = [](const ckb_host* host, const char* id) -> const char* {
    const char* result = "";
    with_services(host, [&](const HostServices& services) {
      if (!services.plugin_folder) return;
      std::string folder = services.plugin_folder(id);
      auto& state = *static_cast<HostState*>(host->self);
      const std::scoped_lock lock(state.folders_mutex);
      result = state.folders.insert(std::move(folder)).first->c_str();
    });
    return result;
  };
}

void fill_input(ckb_host& t) {
  t.open_file = [](ckb_graph* g, std::uint32_t count, const char* const* paths, ckb_file* out,
                   ckb_error* error) {
    return give(out, error, [&] {
      const auto given = view(paths, count);
      const std::vector<std::string> pieces(given.begin(), given.end());
      return g->graph.arena().sources.open(pieces);
    });
  };
  t.file_size = [](const ckb_graph* g, ckb_file file) {
    std::uint64_t size = 0;
    guard(nullptr, [&] { size = g->graph.arena().sources.size(file); });
    return size;
  };
  t.read_file = [](const ckb_graph* g, ckb_file file, std::uint64_t offset, std::uint64_t size,
                   void* data, ckb_error* error) {
    return guard(error, [&] {
      g->graph.arena().sources.read(file, offset, {static_cast<std::byte*>(data), size});
    });
  };
  t.add_storage = [](ckb_graph* g, ckb_file file, std::uint64_t offset, std::uint64_t size,
                     ckb_error* error) {
    return guard(error, [&] { g->graph.add_storage(file, offset, size); });
  };
}

void fill_values(ckb_host& t) {
  t.add_extent = [](ckb_graph* g, ckb_file file, std::uint64_t offset, ckb_dtype dtype,
                    std::uint32_t ndim, const std::int64_t* shape, const std::int64_t* strides,
                    ckb_node* out, ckb_error* error) {
    return give(out, error, [&] {
      return g->graph.add_extent(file, offset, dtype, view(shape, ndim), view(strides, ndim));
    });
  };
  t.add_constant = [](ckb_graph* g, ckb_dtype dtype, std::uint32_t ndim, const std::int64_t* shape,
                      const void* data, ckb_node* out, ckb_error* error) {
    return give(out, error, [&] {
      const auto sizes = view(shape, ndim);
      const std::uint64_t size = checked_count(sizes, dtype, "constant") * item_size(dtype);
      return g->graph.arena().nodes.add_constant(dtype, sizes, bytes_of(data, size));
    });
  };
  t.slice = [](ckb_graph* g, ckb_node value, std::uint32_t dim, std::int64_t begin,
               std::int64_t end, ckb_node* out, ckb_error* error) {
    return give(out, error,
                [&] { return g->graph.arena().nodes.add_slice(value, dim, begin, end); });
  };
  t.concat = [](ckb_graph* g, std::uint32_t count, const ckb_node* values, std::uint32_t dim,
                ckb_node* out, ckb_error* error) {
    return give(out, error,
                [&] { return g->graph.arena().nodes.add_concat(view(values, count), dim); });
  };
  t.reshape = [](ckb_graph* g, ckb_node value, std::uint32_t ndim, const std::int64_t* shape,
                 ckb_node* out, ckb_error* error) {
    return give(out, error,
                [&] { return g->graph.arena().nodes.add_reshape(value, view(shape, ndim)); });
  };
  t.permute = [](ckb_graph* g, ckb_node value, std::uint32_t ndim, const std::uint32_t* dims,
                 ckb_node* out, ckb_error* error) {
    return give(out, error,
                [&] { return g->graph.arena().nodes.add_permute(value, view(dims, ndim)); });
  };
  t.cast = [](ckb_graph* g, ckb_node value, ckb_dtype dtype, ckb_node* out, ckb_error* error) {
    return give(out, error, [&] { return g->graph.arena().nodes.add_cast(value, dtype); });
  };
}

void fill_graph(ckb_host& t) {
  t.add_tensor = [](ckb_graph* g, const ckb_tensor* tensor, ckb_error* error) {
    return guard(error, [&] { add_tensor(g->graph, known_part(tensor)); });
  };
  t.add_object = [](ckb_graph* g, const ckb_object* object, ckb_error* error) {
    return guard(error, [&] { add_object(g->graph, known_part(object)); });
  };
  t.set_property = [](ckb_graph* g, const char* key, const char* value, ckb_error* error) {
    return guard(error, [&] { g->graph.set_property(key, value); });
  };
  t.drop = [](ckb_graph* g, ckb_node value, const char* reason, ckb_error* error) {
    return guard(error, [&] { g->graph.drop(value, reason); });
  };
  t.drop_object = [](ckb_graph* g, const char* name, const char* reason, ckb_error* error) {
    return guard(error, [&] { g->graph.drop_object(name, reason); });
  };
  t.drop_untouched = [](ckb_graph* g, ckb_file file, std::uint64_t offset, std::uint64_t size,
                        const char* reason, ckb_error* error) {
    return guard(error, [&] { g->graph.drop_untouched(file, offset, size, reason); });
  };
  t.note = [](ckb_graph* g, const char* text, ckb_error* error) {
    return guard(error, [&] { g->graph.arena().notes.emplace_back(text); });
  };
  t.expect_equal = [](ckb_graph* g, ckb_node kept, ckb_node other, const char* what,
                      std::int32_t warn_only, ckb_error* error) {
    return guard(error, [&] { g->graph.expect_equal(kept, other, what, warn_only != 0); });
  };
  t.tensor_count = [](const ckb_graph* g) { return std::uint64_t{g->graph.tensors().size()}; };
  t.tensor_at = [](const ckb_graph* g, std::uint64_t index, ckb_tensor* out, ckb_error* error) {
    return guard(error, [&] { tensor_at(g->graph, index, out); });
  };
  t.object_count = [](const ckb_graph* g) { return std::uint64_t{g->graph.objects().size()}; };
  t.object_at = [](const ckb_graph* g, std::uint64_t index, ckb_object* out, ckb_error* error) {
    return guard(error, [&] { object_at(g->graph, index, out); });
  };
  t.property = [](const ckb_graph* g, const char* key) {
    const auto& properties = g->graph.properties();
    const char* result = "";
    guard(nullptr, [&] {
      if (const auto it = properties.find(key); it != properties.end()) result = it->second.c_str();
    });
    return result;
  };
}

void fill_layout(ckb_host& t) {
  t.add_file = [](ckb_layout* l, const char* path, std::uint64_t size, std::uint32_t* out,
                  ckb_error* error) {
    return give(out, error, [&] { return l->layout.add_file(path, size); });
  };
  t.put_bytes = [](ckb_layout* l, std::uint32_t file, std::uint64_t offset, const void* data,
                   std::uint64_t size, ckb_error* error) {
    return guard(error, [&] { l->layout.put_bytes(file, offset, bytes_of(data, size)); });
  };
  t.put_zeros = [](ckb_layout* l, std::uint32_t file, std::uint64_t offset, std::uint64_t size,
                   ckb_error* error) {
    return guard(error, [&] { l->layout.put_zeros(file, offset, size); });
  };
  t.put_value = [](ckb_layout* l, std::uint32_t file, std::uint64_t offset, ckb_node value,
                   ckb_error* error) {
    return guard(error, [&] { l->layout.put_value(file, offset, value, l->nodes); });
  };
  t.put_crc32 = [](ckb_layout* l, std::uint32_t file, std::uint64_t offset, std::uint64_t from,
                   std::uint64_t size, ckb_error* error) {
    return guard(error, [&] { l->layout.put_crc32(file, offset, from, size); });
  };
}

HostState* new_state() {
  auto* state = new HostState;
  ckb_host& table = state->table;
  table.struct_size = sizeof(ckb_host);
  table.abi_minor = CKB_ABI_MINOR;
  table.self = state;
  fill_services(table);
  fill_input(table);
  fill_values(table);
  fill_graph(table);
  fill_layout(table);
  return state;
}

// Leaked on purpose: threads of plugins may call the table while the process ends.
HostState& shared_state() {
  static HostState& state = *new_state();
  return state;
}

}  // namespace

Host::Host(HostServices services) {
  auto connected = std::make_unique<const HostServices>(std::move(services));
  HostState& state = shared_state();
  const std::scoped_lock lock(state.runs_mutex);
  state.runs.push_back(connected.get());
  services_.reset(connected.release());
}

void Host::Disconnect::operator()(const HostServices* services) const {
  {
    HostState& state = shared_state();
    const std::scoped_lock lock(state.runs_mutex);
    std::erase(state.runs, services);
  }
  delete services;
}

const ckb_host* Host::table() const { return &shared_state().table; }

}  // namespace ckptbridge

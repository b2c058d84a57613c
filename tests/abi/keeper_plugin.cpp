// A plugin that keeps the table of the host that loaded it first. probe() logs the path through
// that table; "start" and "stop" start and stop a thread of the plugin's own, which uses the table
// without a pause.
#include <atomic>
#include <cstring>
#include <thread>

#include "ckptbridge/plugin.h"

namespace {

const ckb_host* kept = nullptr;
std::atomic<bool> running{false};
std::thread* worker = nullptr;

void use_table() {
  while (running) {
    kept->log(kept, 1, "from the plugin's thread");
    kept->cancelled(kept);
    if (kept->plugin_folder(kept, "test.keeper") == nullptr) return;
    std::this_thread::yield();
  }
}

int32_t probe(const char* path) {
  if (std::strcmp(path, "start") == 0) {
    running = true;
    worker = new std::thread(use_table);
  } else if (std::strcmp(path, "stop") == 0) {
    running = false;
    worker->join();
    delete worker;
  } else {
    kept->log(kept, 1, path);
  }
  return kept->cancelled(kept);
}

ckb_status open(const char* /*path*/, const char* /*options*/, void** self, ckb_error* /*error*/) {
  *self = nullptr;
  return CKB_OK;
}

ckb_status read_graph(void* /*self*/, ckb_graph* /*out*/, ckb_error* error) {
  return kept->fail(error, CKB_UNSUPPORTED, "reads nothing");
}

void close(void* /*self*/) {}

}  // namespace

extern "C" CKB_EXPORT const ckb_plugin* ckptbridge_plugin_v1(const ckb_host* given) {
  static const ckb_reader reader = {sizeof(reader), 0, probe, open, read_graph, close};
  static const ckb_plugin plugin = {sizeof(plugin), CKB_ABI_MINOR, "test.keeper", "1",
                                    &reader,        nullptr,       nullptr,       nullptr};
  if (kept == nullptr) kept = given;
  return &plugin;
}

/* Compiled, not run: the header of the plugin ABI is C99. */
#include "ckptbridge/plugin.h"

int ckptbridge_header_as_c(const ckb_host* host, const ckb_plugin* plugin);

int ckptbridge_header_as_c(const ckb_host* host, const ckb_plugin* plugin) {
  return CKB_HAS(host, put_crc32) && CKB_HAS(plugin, extension);
}

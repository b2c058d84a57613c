/* Draft extension ckptbridge.error-about/1: what a failure is about, besides its message.
 *
 * A plugin asks its host for it: host->extension(host, CKB_ERROR_ABOUT). NULL: the host is older,
 * and the message alone has to do. plugin.hpp does so for each Error that says what it is about.
 */
#ifndef CKPTBRIDGE_DRAFT_ERROR_ABOUT_H_
#define CKPTBRIDGE_DRAFT_ERROR_ABOUT_H_

#include "ckptbridge/plugin.h"

#define CKB_ERROR_ABOUT "ckptbridge.error-about/1"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ckb_error_about {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any-thread] After host->fail(), which forgets what an earlier call said. Each is a path, a
   * name or a sentence as the message has it, "" where it is not known: `--json` tells it to
   * programs, which act on it, so do not guess. */
  void (*set)(ckb_error*, const char* file, const char* tensor, const char* hint);
} ckb_error_about;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* CKPTBRIDGE_DRAFT_ERROR_ABOUT_H_ */

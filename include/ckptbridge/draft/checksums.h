/* Draft extension ckptbridge.checksums/1: what input files say of their own bytes.
 *
 * ckb_host.extension returns a ckb_checksums. A reader whose format stores checksums tells them,
 * and the host holds them against the bytes that it reads anyway, before the output appears. A host
 * that is older returns NULL; then nothing is checked.
 */
#ifndef CKPTBRIDGE_DRAFT_CHECKSUMS_H_
#define CKPTBRIDGE_DRAFT_CHECKSUMS_H_

#include "ckptbridge/plugin.h"

#define CKB_CHECKSUMS "ckptbridge.checksums/1"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ckb_checksums {
  uint32_t struct_size;
  uint32_t reserved;
  /* The CRC-32 (zip's) of the declared storage [offset, offset + size). what names it within its
   * file: "record data/3". */
  ckb_status (*expect_crc32)(ckb_graph*, ckb_file, uint64_t offset, uint64_t size, uint32_t crc32,
                             const char* what, ckb_error*);
} ckb_checksums;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* CKPTBRIDGE_DRAFT_CHECKSUMS_H_ */

/* Draft extension ckptbridge.compute/1: tensor arithmetic on blocks of elements.
 *
 * The ckb_plugin.extension of a plugin with the role "compute" returns a ckb_compute. ckptbridge
 * asks for numbers about tensors there; it copies and casts tensors itself.
 *
 *   Values    may be larger than memory, so that what adds up is added up: call with one block
 *             after the other and the same result, which starts zeroed but for struct_size.
 *             Only quantiles() needs all elements at once; of a large value pass a sample, and say
 *             so to the user.
 *   Buffers   are borrowed until the call returns, contiguous, and aligned for their elements.
 *   Numbers   are float64. Integers beyond 2^53 are rounded to it.
 *   Threads   all functions are [any-thread], on results of one's own. Each uses one thread.
 *   Errors    CKB_UNSUPPORTED names an element type that the plugin's library lacks.
 */
#ifndef CKPTBRIDGE_DRAFT_COMPUTE_H_
#define CKPTBRIDGE_DRAFT_COMPUTE_H_

#include "ckptbridge/plugin.h"

#define CKB_COMPUTE "ckptbridge.compute/1"

#ifdef __cplusplus
extern "C" {
#endif

/* What summarise() adds up. */
typedef struct ckb_summary {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t count;          /* elements */
  uint64_t nan_count;      /* of them, no number */
  uint64_t infinite_count; /* of them, infinite */
  double min;              /* of the finite ones; 0 while there is none */
  double max;
} ckb_summary;

/* What compare() adds up. Indices count from the first block's start. */
typedef struct ckb_comparison {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t count;        /* pairs */
  uint64_t differing;    /* of them, not equal. NaN equals NaN here, and 0 equals -0 */
  uint64_t beyond;       /* of them, not within the tolerance */
  uint64_t first_beyond; /* the first of these; meaningless while beyond is 0 */
  double max_difference; /* largest |first - second| of pairs of finite numbers */
  uint64_t max_at;       /* where that was first found; meaningless while differing is 0 */
  double sum_difference; /* of |first - second| of pairs of finite numbers */
  double max_relative;   /* largest |first - second| / |second| of these where second is not 0 */
} ckb_comparison;

typedef struct ckb_compute {
  uint32_t struct_size;
  uint32_t reserved;

  ckb_status (*summarise)(ckb_dtype, uint64_t count, const void* values, ckb_summary* sum,
                          ckb_error*);
  /* A pair is within the tolerance when its elements are equal, or finite and
   * |first - second| <= atol + rtol * |second|. The types may differ. */
  ckb_status (*compare)(uint64_t count, ckb_dtype first_dtype, const void* first,
                        ckb_dtype second_dtype, const void* second, double rtol, double atol,
                        ckb_comparison* sum, ckb_error*);
  /* Adds to counts how many finite values lie in each of bins equal parts of [low, high]; high
   * itself belongs to the last. low < high. */
  ckb_status (*histogram)(ckb_dtype, uint64_t count, const void* values, double low, double high,
                          uint32_t bins, uint64_t* counts, ckb_error*);
  /* Sets out, for each of fractions, in [0, 1], to the value below which that part of the finite
   * values lies, interpolated between neighbours; NaN where no value is finite. */
  ckb_status (*quantiles)(ckb_dtype, uint64_t count, const void* values, uint32_t fraction_count,
                          const double* fractions, double* out, ckb_error*);
} ckb_compute;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* CKPTBRIDGE_DRAFT_COMPUTE_H_ */

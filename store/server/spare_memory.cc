#include "store/server/spare_memory.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace rollcall {

void ReturnFreeMemory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace rollcall

#include "base/memory.h"

#include <unistd.h>

#include <cstdio>
#include <memory>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace muir {

void return_free_memory() {
#ifdef __GLIBC__
  (void)::malloc_trim(0);
#endif
}

size_t resident_bytes() {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/self/statm", "r"),
                                                   [](FILE* f) { return f == nullptr ? 0 : std::fclose(f); });
  size_t total = 0;
  size_t resident = 0;
  if (!file || std::fscanf(file.get(), "%zu %zu", &total, &resident) != 2) return 0;
  return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace muir

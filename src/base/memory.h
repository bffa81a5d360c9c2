// Memory of the process as the operating system sees it.
#pragma once

#include <cstddef>

namespace muir {

// Gives memory that has been freed back to the operating system, as far as the allocator can; takes milliseconds when
// there is much. Thread-safe.
void return_free_memory();

// Bytes of the process that are in RAM; 0 when the system does not say.
size_t resident_bytes();

}  // namespace muir

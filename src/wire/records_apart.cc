#include "wire/records_apart.h"

namespace muir::wire {

RecordsApart*& RecordsApart::current() {
  thread_local RecordsApart* current = nullptr;
  return current;
}

}  // namespace muir::wire

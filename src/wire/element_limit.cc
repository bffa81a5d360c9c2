#include "wire/element_limit.h"

namespace muir::wire {

ElementLimit*& ElementLimit::current() {
  thread_local ElementLimit* current = nullptr;
  return current;
}

}  // namespace muir::wire

// guarded(): where exceptions of user code end. Whatever the library calls of a program's, on a thread of its own or
// within a call that answers with a Status, is called through it.
#pragma once

#include <exception>
#include <type_traits>

#include "base/status.h"

namespace muir::streams::internal {

// What `call` answers, a Status or a Result; what it throws becomes Code::invalid_argument with the exception's text.
template <class F>
std::invoke_result_t<F&> guarded(F&& call) {
  try {
    return call();
  } catch (const std::exception& thrown) {
    return Status(Code::invalid_argument, thrown.what());
  } catch (...) {
    return Status(Code::invalid_argument, "something that is no std::exception was thrown");
  }
}

}  // namespace muir::streams::internal

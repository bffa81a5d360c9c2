// MUIR_CHECK: programmer errors end the process with a message, in every build. Never for bytes from outside.
#pragma once

#include <fmt/core.h>

#include <string>
#include <utility>

namespace muir::internal {
[[noreturn]] void check_failed(const char* file, int line, const char* condition, const std::string& message);
inline std::string check_message() { return {}; }
template <class... A>
std::string check_message(fmt::format_string<A...> format, A&&... args) {
  return fmt::format(format, std::forward<A>(args)...);
}
}  // namespace muir::internal

#define MUIR_CHECK(condition, ...)                                                                                  \
  do {                                                                                                              \
    if (!(condition)) [[unlikely]]                                                                                  \
      ::muir::internal::check_failed(__FILE__, __LINE__, #condition, ::muir::internal::check_message(__VA_ARGS__)); \
  } while (false)
#define CHECK(condition, ...) MUIR_CHECK(condition __VA_OPT__(, ) __VA_ARGS__)

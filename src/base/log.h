// Logging facade: log::info("recovered topic={} in {} ms", name, ms). Thread-safe. Never log a secret.
#pragma once

#include <fmt/core.h>

#include <string_view>
#include <utility>

namespace muir::log {

enum class Level : unsigned char { trace, debug, info, warn, error, off };

// Messages below this level are dropped; starts as info, or as environment variable MUIR_LOG_LEVEL says.
void set_level(Level level);
[[nodiscard]] bool enabled(Level level);
// Writes one line to stderr.
void write(Level level, std::string_view message);

namespace internal {
template <class... A>
void log(Level level, fmt::format_string<A...> format, A&&... args) {
  if (enabled(level)) write(level, fmt::format(format, std::forward<A>(args)...));
}
}  // namespace internal

template <class... A>
void debug(fmt::format_string<A...> format, A&&... args) {
  internal::log(Level::debug, format, std::forward<A>(args)...);
}
template <class... A>
void info(fmt::format_string<A...> format, A&&... args) {
  internal::log(Level::info, format, std::forward<A>(args)...);
}
template <class... A>
void warn(fmt::format_string<A...> format, A&&... args) {
  internal::log(Level::warn, format, std::forward<A>(args)...);
}
template <class... A>
void error(fmt::format_string<A...> format, A&&... args) {
  internal::log(Level::error, format, std::forward<A>(args)...);
}

}  // namespace muir::log

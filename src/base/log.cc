#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace muir::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::trace: return spdlog::level::trace;
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

spdlog::logger& logger() {
  // Never destroyed: threads may still log while the process leaves main().
  static auto* const instance = [] {
    auto* made = new spdlog::logger("muir", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%-5l%$ %v");
    const char* given = std::getenv("MUIR_LOG_LEVEL");
    std::string level = given == nullptr ? "info" : given;
    for (char& c : level) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    // The library takes what it does not know for "off".
    const bool known = level == "off" || spdlog::level::from_str(level) != spdlog::level::off;
    made->set_level(known ? spdlog::level::from_str(level) : spdlog::level::info);
    if (!known) made->warn("MUIR_LOG_LEVEL={}: no level; debug, info, warn, error and off are (info is taken)", given);
    return made;
  }();
  return *instance;
}

}  // namespace

void set_level(Level level) { logger().set_level(to_spdlog(level)); }
bool enabled(Level level) { return logger().should_log(to_spdlog(level)); }
void write(Level level, std::string_view message) { logger().log(to_spdlog(level), "{}", message); }

}  // namespace muir::log

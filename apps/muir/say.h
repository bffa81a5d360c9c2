// What the program says on its standard streams. That nobody listens any more is no failure of what it does.
#pragma once

#include <fmt/core.h>

#include <string_view>
#include <utility>

#include "base/status.h"

namespace muir::app {

// To be called before anything else: a closed pipe ends no write with a signal, and standard streams that were closed
// are /dev/null, so that no file or socket is opened in their place and gets what is meant for them.
void keep_standard_streams();

void write_out(std::string_view text);  // and flush
void write_err(std::string_view text);

template <class... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  write_out(fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void complain(fmt::format_string<Args...> format, Args&&... args) {
  write_err(fmt::format(format, std::forward<Args>(args)...));
}

// What a command was asked for: fails when it cannot be written (a full disk), but not when its reader has gone.
Status answer(std::string_view text);

}  // namespace muir::app

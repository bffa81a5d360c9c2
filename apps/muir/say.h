// What the program says on its standard streams. That nobody listens to a server any more is no failure of what it
// does; an answer that nobody gets is.
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

// What a command was asked for: fails when it cannot be written, be it that the disk is full, that its reader has gone,
// or that there is no standard output.
Status answer(std::string_view text);

}  // namespace muir::app

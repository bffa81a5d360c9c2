// Mode: what may be written, of a subject or of all.
#pragma once

#include <optional>
#include <string_view>

namespace muir::registry {

enum class Mode : unsigned char {
  readwrite,
  readonly,
  readonly_override,  // of all subjects: whatever a subject says
  import,             // schemas bring their ids
  forward,            // as import; written by other registries only, whose schemas come from elsewhere
};

// "READWRITE", ...; case does not matter when reading.
std::string_view to_string(Mode mode);
std::optional<Mode> mode_from(std::string_view text);

inline bool is_read_only(Mode mode) { return mode == Mode::readonly || mode == Mode::readonly_override; }
inline bool takes_ids(Mode mode) { return mode == Mode::import || mode == Mode::forward; }

}  // namespace muir::registry

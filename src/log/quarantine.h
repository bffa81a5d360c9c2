// Bytes of a log that could not be read as batches, kept for a person to look at when they must leave their segment.
#pragma once

#include <cstdint>
#include <string>

#include "base/file.h"
#include "base/kafka_ids.h"

namespace muir::log {

// Copies the bytes from `begin` to `end` of `file` into a new file of `folder`: <offset>.quarantine, or
// <offset>.2.quarantine and so on while the name is taken. Durable on return.
Status keep_aside(Env& env, const std::string& folder, Offset offset, const File& file, uint64_t begin, uint64_t end);

// A name in `folder` that no file has yet, made from `stem` and `suffix`.
std::string free_name(Env& env, const std::string& folder, const std::string& stem, std::string_view suffix);

}  // namespace muir::log

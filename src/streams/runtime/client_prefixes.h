// The keys of a Streams application that concern one kind of its clients: "consumer.", "main.consumer.", "producer."
// and so on. Functions only; thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_def.h"
#include "client/client.h"

namespace muir::streams::internal {

bool has_client_prefix(std::string_view key);
// One sentence for each key under such a prefix that has no effect.
std::vector<std::string> prefixed_keys_without_effect(const std::map<std::string, std::string>& properties);
// What to say of a key of clients that is given without a prefix and would need one; empty: no kind of client has it,
// or one like it.
std::string complaint_without_prefix(const std::string& key);
// Types and ranges of those that have one, also where another prefix wins.
ConfigMistakes prefixed_mistakes(const std::map<std::string, std::string>& properties);

}  // namespace muir::streams::internal

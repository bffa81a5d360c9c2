// The keys of a Streams application that concern one kind of its clients: "consumer.", "main.consumer.", "producer."
// and so on. Functions only; thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "client/client.h"

namespace muir::streams::internal {

bool has_client_prefix(std::string_view key);
// One sentence for each key under such a prefix that has no effect.
std::vector<std::string> prefixed_keys_without_effect(const std::map<std::string, std::string>& properties);
// Types and ranges of those that have one.
Status check_prefixed_keys(const std::map<std::string, std::string>& properties);
// What stands under `prefix`, without it, laid over `out`.
void lay_over(client::Properties& out, const std::map<std::string, std::string>& properties, std::string_view prefix);

}  // namespace muir::streams::internal

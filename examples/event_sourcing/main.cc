#include <fmt/core.h>

#include "event_sourcing/event_sourcing.h"
#include "run.h"
#include "serde/json_codec.h"

namespace {

using event_sourcing::AccountView;
using event_sourcing::Bank;

// Queries are answered by the instance that has the key; where that is, metadata_for_key() tells.
template <class V>
muir::Result<std::string> ask(muir::streams::KafkaStreams& app, const std::string& store, const std::string& key) {
  const auto place = MUIR_TRY(app.metadata_for_key(store, key));
  if (!place.local) return fmt::format("{} is at {}:{}", key, place.host, place.port);
  const auto view = MUIR_TRY((app.key_value<std::string, V>(store)));
  const auto found = MUIR_TRY(view.get(key));
  if (!found) return fmt::format("no {}", key);
  return muir::to_json_text(found->value);
}

std::string answer(muir::streams::KafkaStreams& app, const std::string& line) {
  const auto found = line == "bank" ? ask<Bank>(app, "bank", line) : ask<AccountView>(app, "account-views", line);
  return found.ok() ? *found : found.status().message();
}

}  // namespace

int main(int argc, char** argv) {
  return examples::run(argc, argv,
                       {.name = "event_sourcing",
                        .about = "Accounts: commands become events, events become views. Type the name of an account, "
                                 "or bank, to ask for one.",
                        .topology = event_sourcing::topology(),
                        .topics = {"account-commands", "account-events", "account-rejections", "account-dead"},
                        .dead_letters = "account-dead",
                        .answer = answer});
}

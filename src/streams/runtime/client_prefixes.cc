#include "streams/runtime/client_prefixes.h"

#include <algorithm>

#include "base/config.h"
#include "client/client_keys.h"
#include "streams/runtime/consumer_config.h"

namespace muir::streams::internal {
namespace {

using client::ClientKind;

// As in Kafka Streams nobody else's to choose.
const std::vector<std::string_view> kConsumerDecided = {
    "isolation.level",  "enable.auto.commit", "allow.auto.create.topics",     "group.id",
    "key.deserializer", "value.deserializer", "partition.assignment.strategy"};
const std::vector<std::string_view> kProducerDecided = {"enable.idempotence", "transactional.id", "key.serializer",
                                                        "value.serializer", "partitioner.class"};
const std::vector<std::string_view> kNothing;

struct Prefix {
  std::string_view text;
  ClientKind kind;
  const std::vector<std::string_view>* decided;
  bool thread;  // whether keys of the thread have an effect
};
const Prefix kPrefixes[] = {
    {"consumer.", ClientKind::consumer, &kConsumerDecided, true},
    {"main.consumer.", ClientKind::consumer, &kConsumerDecided, true},
    {"restore.consumer.", ClientKind::consumer, &kConsumerDecided, false},
    {"global.consumer.", ClientKind::consumer, &kConsumerDecided, false},
    {"producer.", ClientKind::producer, &kProducerDecided, false},
    {"admin.", ClientKind::admin, &kNothing, false},
};

Properties under(const Prefix& prefix, const std::map<std::string, std::string>& properties) {
  client::ClientGiven given;
  given.lay_over(properties, prefix.text);
  Properties out = std::move(given.values);
  if (!prefix.thread) return out;
  for (const ConfigKey& key : consumer_config().keys()) out.erase(key.name);
  return out;
}

}  // namespace

bool has_client_prefix(std::string_view key) {
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](const Prefix& prefix) { return key.starts_with(prefix.text); });
}

std::vector<std::string> prefixed_keys_without_effect(const std::map<std::string, std::string>& properties) {
  std::vector<std::string> out;
  for (const Prefix& prefix : kPrefixes) {
    for (auto& one :
         client::keys_without_effect(prefix.kind, under(prefix, properties), prefix.text, *prefix.decided)) {
      out.push_back(std::move(one));
    }
  }
  return out;
}

std::string complaint_without_prefix(const std::string& key) {
  const auto advise = [&](const Prefix& prefix, const std::string& name) {
    return fmt::format("unknown configuration key '{}'; did you mean '{}{}'?", key, prefix.text, name);
  };
  for (const Prefix& prefix : kPrefixes) {
    if (std::find(prefix.decided->begin(), prefix.decided->end(), key) != prefix.decided->end())
      return fmt::format("configuration key '{}' has no effect: the application decides about it", key);
    if (client::client_config(prefix.kind).find(key) != nullptr) return advise(prefix, key);
  }
  for (const Prefix& prefix : kPrefixes) {
    std::vector<std::string> names;
    for (const ConfigKey& known : client::client_config(prefix.kind).keys()) names.push_back(known.name);
    if (const std::string near = nearest(key, names); !near.empty()) return advise(prefix, near);
  }
  return {};
}

ConfigMistakes prefixed_mistakes(const std::map<std::string, std::string>& properties) {
  ConfigMistakes out;
  for (const Prefix& prefix : kPrefixes) {
    Properties given = under(prefix, properties);
    for (const std::string_view key : *prefix.decided) given.erase(std::string(key));
    add_mistakes(out, client::client_config(prefix.kind).mistakes(given, [&](const std::string& key) {
      return std::string(prefix.text) + key;
    }));
  }
  return out;
}

}  // namespace muir::streams::internal

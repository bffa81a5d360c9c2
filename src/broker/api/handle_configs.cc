#include <algorithm>
#include <map>

#include "base/config_def.h"
#include "broker/api/disk_trouble.h"
#include "broker/api/handlers.h"
#include "broker/api/named_once.h"
#include "broker/internal/broker_context.h"
#include "log/kafka_error.h"
#include "log/topic_config_check.h"

namespace muir::broker {
namespace {

using wire::DescribeConfigsRequest;
using wire::DescribeConfigsResponse;
using wire::ErrorCode;

constexpr int8_t kTopicResource = 2;
constexpr int8_t kBrokerResource = 4;

enum Source : int8_t { kFromTopic = 1, kFromStaticBroker = 4, kFromDefault = 5 };
enum Operation : int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };

bool asked_for(const DescribeConfigsRequest::Resource& resource, std::string_view name) {
  if (!resource.configuration_keys) return true;
  return std::find(resource.configuration_keys->begin(), resource.configuration_keys->end(), name) !=
         resource.configuration_keys->end();
}

std::string documentation_of(const ConfigKey& key) { return key.doc + "."; }

// The places a topic's value may come from, the first that is set first.
std::vector<DescribeConfigsResponse::Synonym> topic_synonyms(const ConfigKey& key, const Properties& overrides,
                                                             const Properties& broker) {
  std::vector<DescribeConfigsResponse::Synonym> out;
  if (const auto it = overrides.find(key.name); it != overrides.end())
    out.push_back({key.name, it->second, kFromTopic, {}});
  const std::string synonym = key.synonyms.empty() ? key.name : key.synonyms.front().name;
  if (auto value = storage::broker_config_value(key, broker))
    out.push_back({synonym, std::move(value), kFromStaticBroker, {}});
  out.push_back({synonym, key.fallback, kFromDefault, {}});
  return out;
}

DescribeConfigsResponse::Config describe_topic_key(const ConfigKey& key, const storage::Topic& topic,
                                                   const BrokerContext& context,
                                                   const DescribeConfigsRequest& request) {
  DescribeConfigsResponse::Config out;
  auto synonyms = topic_synonyms(key, topic.overrides, context.config.properties);
  out.name = key.name;
  out.value = synonyms.front().value;
  out.config_source = synonyms.front().source;
  out.read_only = !key.dynamic;
  out.config_type = static_cast<int8_t>(key.type);
  if (request.include_synonyms) out.synonyms = std::move(synonyms);
  if (request.include_documentation) out.documentation = documentation_of(key);
  return out;
}

// A key of the broker's own, or the default of a topic's key under its name here. `set`: what the properties say.
DescribeConfigsResponse::Config describe_broker_key(const std::string& name, const ConfigKey& key,
                                                    const std::optional<std::string>& set,
                                                    const DescribeConfigsRequest& request) {
  DescribeConfigsResponse::Config out;
  out.name = name;
  out.read_only = !key.dynamic;
  out.is_sensitive = key.secret;
  out.config_source = set ? kFromStaticBroker : kFromDefault;
  out.config_type = static_cast<int8_t>(key.type);
  if (request.include_documentation) out.documentation = documentation_of(key);
  if (key.secret) return out;
  out.value = set.value_or(key.fallback);
  if (request.include_synonyms && set) out.synonyms.push_back({out.name, set, kFromStaticBroker, {}});
  if (request.include_synonyms) out.synonyms.push_back({out.name, key.fallback, kFromDefault, {}});
  return out;
}

void describe_broker(const BrokerContext& context, const DescribeConfigsRequest& request,
                     const DescribeConfigsRequest::Resource& resource, DescribeConfigsResponse::Result& out) {
  if (!resource.resource_name.empty() && resource.resource_name != std::to_string(context.node_id())) {
    out.error_code = ErrorCode::invalid_request;
    out.error_message =
        fmt::format("Unexpected broker id, expected {}, but received {}", context.node_id(), resource.resource_name);
    return;
  }
  const Properties& properties = context.config.properties;
  for (const ConfigKey& key : broker_config().keys()) {
    if (asked_for(resource, key.name))
      out.configs.push_back(describe_broker_key(key.name, key, ConfigDef::given_value(properties, key), request));
  }
  for (const ConfigKey& key : storage::topic_config().keys()) {
    if (key.synonyms.empty()) continue;
    const std::string& name = key.synonyms.front().name;
    if (broker_config().find(name) == nullptr && asked_for(resource, name))
      out.configs.push_back(describe_broker_key(name, key, storage::broker_config_value(key, properties), request));
  }
}

DescribeConfigsResponse::Result describe(const BrokerContext& context, const DescribeConfigsRequest& request,
                                         const DescribeConfigsRequest::Resource& resource) {
  DescribeConfigsResponse::Result out;
  out.resource_type = resource.resource_type;
  out.resource_name = resource.resource_name;
  if (resource.resource_type == kBrokerResource) {
    describe_broker(context, request, resource, out);
  } else if (resource.resource_type == kTopicResource) {
    const auto topic = context.logs->find_topic(resource.resource_name);
    if (topic == nullptr) {
      out.error_code = ErrorCode::unknown_topic_or_partition;
      out.error_message = fmt::format("The topic '{}' does not exist.", resource.resource_name);
      return out;
    }
    for (const ConfigKey& key : storage::topic_config().keys()) {
      if (asked_for(resource, key.name)) out.configs.push_back(describe_topic_key(key, *topic, context, request));
    }
  } else {
    out.error_code = ErrorCode::invalid_request;
    out.error_message = fmt::format("Unsupported resource type: {}", resource.resource_type);
  }
  return out;
}

// "a,b" with `items` added or taken away.
std::string change_list(const std::string& list, const std::string& items, bool append) {
  const auto split = [](const std::string& text) {
    std::vector<std::string> out;
    size_t begin = 0;
    while (begin < text.size()) {
      const size_t comma = std::min(text.find(',', begin), text.size());
      if (comma > begin) out.push_back(text.substr(begin, comma - begin));
      begin = comma + 1;
    }
    return out;
  };
  auto values = split(list);
  for (const auto& item : split(items)) {
    const auto at = std::find(values.begin(), values.end(), item);
    if (append && at == values.end()) values.push_back(item);
    if (!append && at != values.end()) values.erase(at);
  }
  std::string out;
  for (const auto& value : values) out += (out.empty() ? "" : ",") + value;
  return out;
}

Status no_list(const wire::IncrementalAlterConfigsRequest::Config& config) {
  return storage::kafka_error(ErrorCode::invalid_config, "Can't {} to key {} because its type is not LIST.",
                              config.config_operation == kAppend ? "APPEND" : "SUBTRACT", config.name);
}

Status refuse_unknown(const wire::IncrementalAlterConfigsRequest::Config& config) {
  if (config.config_operation == kAppend || config.config_operation == kSubtract) return no_list(config);
  return storage::kafka_error(ErrorCode::invalid_config, "Unknown topic config name: {}", config.name);
}

Status change(Properties& overrides, const wire::IncrementalAlterConfigsRequest::Config& config,
              const Properties& broker) {
  // What is no setting cannot be set, and is not: as in Apache Kafka it may be taken back.
  if (config.config_operation == kDelete) {
    overrides.erase(config.name);
    return {};
  }
  const ConfigKey* key = storage::topic_config().find(config.name);
  if (key == nullptr) return refuse_unknown(config);
  if (!config.value)
    return storage::kafka_error(ErrorCode::invalid_request, "Null value not supported for : {}", config.name);
  if (config.config_operation == kSet) {
    overrides[config.name] = *config.value;
    return {};
  }
  if (config.config_operation != kAppend && config.config_operation != kSubtract) {
    return storage::kafka_error(ErrorCode::unknown_server_error, "Unknown operation {} on {}", config.config_operation,
                                config.name);
  }
  if (key->type != ConfigType::list) {
    return no_list(config);
  }
  overrides[config.name] = change_list(storage::topic_config_value(*key, overrides, broker), *config.value,
                                       config.config_operation == kAppend);
  return {};
}

// The broker's own settings come from its properties and change with a restart.
Status refuse_resource(int8_t type) {
  if (type == kBrokerResource) {
    return storage::kafka_error(ErrorCode::invalid_request,
                                "Settings of the broker are changed in its properties, not through the protocol");
  }
  return storage::kafka_error(ErrorCode::invalid_request, "Unsupported resource type: {}", type);
}

Status apply(BrokerContext& context, const std::string& name, const Properties& overrides, bool validate_only) {
  MUIR_RETURN_IF_ERROR(storage::check_topic_config(overrides, context.config.properties));
  return validate_only ? Status() : context.logs->set_topic_config(name, overrides);
}

Status alter(BrokerContext& context, const wire::AlterConfigsRequest::Resource& resource, bool validate_only) {
  if (resource.resource_type != kTopicResource) return refuse_resource(resource.resource_type);
  if (context.logs->find_topic(resource.resource_name) == nullptr) {
    return storage::kafka_error(ErrorCode::unknown_topic_or_partition, "The topic '{}' does not exist.",
                                resource.resource_name);
  }
  Properties overrides;
  for (const auto& config : resource.configs) {
    if (!config.value)
      return storage::kafka_error(ErrorCode::invalid_request, "Null value not supported for : {}", config.name);
    overrides[config.name] = *config.value;
  }
  return apply(context, resource.resource_name, overrides, validate_only);
}

Status alter_incrementally(BrokerContext& context, const wire::IncrementalAlterConfigsRequest::Resource& resource,
                           bool validate_only) {
  if (resource.resource_type != kTopicResource) return refuse_resource(resource.resource_type);
  const auto topic = context.logs->find_topic(resource.resource_name);
  if (topic == nullptr)
    return storage::kafka_error(ErrorCode::unknown_topic_or_partition, "The topic '{}' does not exist.",
                                resource.resource_name);
  const auto repeated =
      repeated_places(resource.configs, [](const auto& config) { return std::string_view(config.name); });
  if (std::find(repeated.begin(), repeated.end(), true) != repeated.end())
    return storage::kafka_error(ErrorCode::invalid_request, "Error due to duplicate config keys");
  Properties overrides = topic->overrides;
  for (const auto& config : resource.configs)
    MUIR_RETURN_IF_ERROR(change(overrides, config, context.config.properties));
  return apply(context, resource.resource_name, overrides, validate_only);
}

template <class Response, class Request, class Function>
void alter_all(BrokerContext& context, Request request, Reply<Response> reply, Function function) {
  context.admin->post([&context, request = std::move(request), reply = std::move(reply), function] {
    Response response;
    using Key = std::pair<int8_t, std::string_view>;
    std::map<Key, int> times;
    for (const auto& resource : request.resources) ++times[{resource.resource_type, resource.resource_name}];
    for (const auto& resource : request.resources) {
      // A write to the disk for each would take hours, and Apache Kafka does not take them either.
      const bool once = times[{resource.resource_type, resource.resource_name}] == 1;
      const Status status =
          once ? function(context, resource, request.validate_only)
               : storage::kafka_error(ErrorCode::invalid_request, "Each resource must appear at most once.");
      auto& out = response.responses.emplace_back();
      out.resource_type = resource.resource_type;
      out.resource_name = resource.resource_name;
      out.error_code = answered_code("AlterConfigs", resource.resource_name, status);
      if (!status.ok()) out.error_message = status.message();
    }
    reply(response);
  });
}

}  // namespace

void handle_describe_configs(BrokerContext& context, const RequestInfo&, DescribeConfigsRequest request,
                             Reply<DescribeConfigsResponse> reply) {
  keep_named_once(request.resources, [](const auto& resource) {
    return std::make_pair(resource.resource_type, std::string_view(resource.resource_name));
  });
  DescribeConfigsResponse response;
  for (const auto& resource : request.resources) response.results.push_back(describe(context, request, resource));
  reply(response);
}

void handle_alter_configs(BrokerContext& context, const RequestInfo&, wire::AlterConfigsRequest request,
                          Reply<wire::AlterConfigsResponse> reply) {
  alter_all(context, std::move(request), std::move(reply), alter);
}

void handle_incremental_alter_configs(BrokerContext& context, const RequestInfo&,
                                      wire::IncrementalAlterConfigsRequest request,
                                      Reply<wire::IncrementalAlterConfigsResponse> reply) {
  alter_all(context, std::move(request), std::move(reply), alter_incrementally);
}

}  // namespace muir::broker

#include "client/kafka_client.h"

#include "client/client_keys.h"
#include "client/internal/kafka_admin.h"
#include "client/internal/kafka_config.h"
#include "client/internal/kafka_consumer.h"
#include "client/internal/kafka_group_member.h"
#include "client/internal/kafka_producer.h"

namespace muir::client {
namespace {

class KafkaClient final : public Client {
 public:
  KafkaClient(Properties properties, MetricsRegistry* metrics)
      : properties_(std::move(properties)), metrics_(metrics) {}

  Result<std::unique_ptr<Producer>> producer(const Properties& overrides) override {
    const Properties all = internal::merged(properties_, overrides);
    MUIR_RETURN_IF_ERROR(status_of(client_mistakes(ClientKind::producer, {.values = all})));
    return internal::KafkaProducer::make(all, metrics_);
  }
  Result<std::unique_ptr<Consumer>> consumer(const Properties& overrides) override {
    const Properties all = internal::merged(properties_, overrides);
    MUIR_RETURN_IF_ERROR(status_of(client_mistakes(ClientKind::consumer, {.values = all})));
    return internal::KafkaConsumer::make(all, metrics_);
  }
  Result<std::unique_ptr<Admin>> admin(const Properties& overrides) override {
    auto options = MUIR_TRY(internal::protocol_options(internal::merged(properties_, overrides)));
    return std::unique_ptr<Admin>(new internal::KafkaAdmin(std::move(options)));
  }
  Result<std::unique_ptr<GroupMember>> group_member(const GroupMemberOptions& options,
                                                    GroupProtocol& protocol) override {
    if (options.group_id.empty()) return error(Code::invalid_argument, "group member: group_id is empty");
    const Properties all = internal::merged(properties_, options.properties);
    auto client_options = MUIR_TRY(internal::protocol_options(all));
    if (!all.contains("request.timeout.ms")) client_options.request_timeout_ms = options.request_timeout_ms;
    if (!all.contains("retry.backoff.ms")) client_options.retry_backoff_ms = options.retry_backoff_ms;
    return std::unique_ptr<GroupMember>(new internal::KafkaGroupMember(std::move(client_options), options, protocol));
  }

 private:
  const Properties properties_;
  MetricsRegistry* const metrics_;
};

}  // namespace

Result<std::unique_ptr<Client>> connect_kafka(const Properties& properties, MetricsRegistry* metrics) {
  MUIR_RETURN_IF_ERROR(internal::protocol_options(properties));  // what is wrong is said here, not at the first use
  ConfigMistakes mistakes = client_mistakes(ClientKind::producer, {.values = properties});
  add_mistakes(mistakes, client_mistakes(ClientKind::consumer, {.values = properties}));
  MUIR_RETURN_IF_ERROR(status_of(mistakes));
  MUIR_RETURN_IF_ERROR(internal::make_conf(internal::Role::producer, properties));
  MUIR_RETURN_IF_ERROR(internal::make_conf(internal::Role::consumer, properties));
  internal::warn_about_unknown(properties);
  return std::unique_ptr<Client>(new KafkaClient(properties, metrics));
}

}  // namespace muir::client

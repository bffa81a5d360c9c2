#include "brokers.h"

#include <memory>

#include "base/check.h"
#include "broker/broker.h"
#include "testing/kafka_cluster.h"
#include "testing/temp_dir.h"

namespace muir::interop {
namespace {

// Ends in this order at exit of the process: broker, then its folder.
struct MuirBroker {
  std::unique_ptr<testing::TempDir> folder = std::make_unique<testing::TempDir>();
  std::unique_ptr<broker::Broker> broker;
  std::string bootstrap;
};

MuirBroker start_muir() {
  MuirBroker out;
  broker::BrokerConfig config{.port = 0, .data_dir = out.folder->str()};
  config.properties = {{"group.initial.rebalance.delay.ms", "0"},
                       {"offsets.topic.num.partitions", "5"},
                       {"transaction.state.log.num.partitions", "5"},
                       {"transaction.abort.timed.out.transaction.cleanup.interval.ms", "1000"},
                       {"log.cleaner.backoff.ms", "200"}};
  auto broker = broker::Broker::start(config);
  CHECK(broker.ok(), "{}", broker.status().to_string());
  out.broker = std::move(*broker);
  out.bootstrap = fmt::format("127.0.0.1:{}", out.broker->port());
  return out;
}

testing::KafkaCluster start_apache() {
  auto cluster = testing::KafkaCluster::start(
      1, {{"transaction.abort.timed.out.transaction.cleanup.interval.ms", "1000"}, {"log.cleaner.backoff.ms", "200"}});
  CHECK(cluster.ok(), "{}", cluster.status().to_string());
  return std::move(*cluster);
}

}  // namespace

const std::string& bootstrap_servers(Vendor vendor) {
  if (vendor == Vendor::muir) {
    static const MuirBroker muir = start_muir();
    return muir.bootstrap;
  }
  static const testing::KafkaCluster apache = start_apache();
  return apache.bootstrap_servers();
}

std::string vendor_name(const ::testing::TestParamInfo<Vendor>& info) {
  return info.param == Vendor::muir ? "Muir" : "ApacheKafka";
}

}  // namespace muir::interop

// The entry point for hostile requests: a whole broker on a disk in memory, without its network.
#include "base/file_fault.h"
#include "broker/api/api_table.h"
#include "broker/broker.h"
#include "broker/internal/broker_core.h"

namespace muir::broker {
namespace {

class NoReply final : public ReplySlot {
 public:
  void send(std::vector<net::Piece>) override {}
  void send_nothing() override {}
  void close_connection() override {}
};

BrokerCore& fuzzed_core() {
  // Kept until the end of the process, as its threads may still be at work on the last request.
  static auto* const core = [] {
    auto* env = new FaultEnv();
    BrokerConfig config;
    config.data_dir = "/fuzz";
    config.network_threads = 1;
    config.properties = {{"offsets.topic.num.partitions", "2"}, {"transaction.state.log.num.partitions", "2"}};
    auto opened = BrokerCore::open(std::move(config), *env);
    CHECK(opened.ok(), "{}", opened.status().to_string());
    CHECK((*opened)->context().logs->create_topic("t", 2, {}).ok());
    return (*std::move(opened)).release();
  }();
  return *core;
}

}  // namespace

int fuzz_config(BytesView input) {
  const auto properties = parse_properties(input, "fuzz");
  if (!properties.ok()) return 0;
  const ConfigComplaints complaints = check_properties(*properties);
  for (const ConfigMistake& mistake : complaints.wrong)
    CHECK(!mistake.why.empty(), "{}: a mistake, but none", mistake.key);
  const auto config = BrokerConfig::from_properties(*properties);
  if (!config.ok() || !complaints.wrong.empty()) return 0;
  return config->listeners().ok() ? 1 : 0;
}

int fuzz_request(BytesView frame) {
  static const Listener listener;
  return dispatch(fuzzed_core().context(), listener, "127.0.0.1:1", Bytes(frame), std::make_shared<NoReply>()).ok() ? 1
                                                                                                                    : 0;
}

}  // namespace muir::broker

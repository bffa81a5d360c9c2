// Client: makes producers, consumers, admins and group members for one cluster.
//
// Two implementations: kafka_client.h (librdkafka and our own membership client, against a real cluster) and
// memory_cluster.h (in memory, simulated time, faults from a seed). Nothing above this module knows which it has.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/config.h"
#include "base/status.h"
#include "client/admin.h"
#include "client/consumer.h"
#include "client/group_member.h"
#include "client/producer.h"

namespace muir::client {

// Thread-safe. Properties are Kafka's own configuration keys: bootstrap.servers, acks, linger.ms, isolation.level, ...
class Client {
 public:
  virtual ~Client() = default;
  // `overrides` are laid over the client's own properties. transactional.id makes the producer transactional.
  virtual Result<std::unique_ptr<Producer>> producer(const Properties& overrides = {}) = 0;
  virtual Result<std::unique_ptr<Consumer>> consumer(const Properties& overrides = {}) = 0;
  virtual Result<std::unique_ptr<Admin>> admin(const Properties& overrides = {}) = 0;
  // `protocol` outlives the member.
  virtual Result<std::unique_ptr<GroupMember>> group_member(const GroupMemberOptions& options,
                                                            GroupProtocol& protocol) = 0;
};

}  // namespace muir::client

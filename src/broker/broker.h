// Broker: an embedded, durable, single-node Kafka broker.
//
//   auto broker = MUIR_TRY(Broker::start(config));   // clients may connect to config.host:broker->port()
//   broker->stop();                                  // ends cleanly; the destructor does the same
//
// acks=all is answered after the records are on the disk (one fsync for all requests that wait), and offsets are
// committed only of such records, unless log.flush.acks=false says otherwise. Consumers see records when they are
// appended.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "broker/broker_config.h"

namespace muir::broker {

// Thread-safe.
class Broker {
 public:
  // Recovers the data folder, binds and serves. already_exists when another broker has the folder.
  static Result<std::unique_ptr<Broker>> start(BrokerConfig config);
  virtual ~Broker() = default;

  // The port that the first listener was bound to.
  [[nodiscard]] virtual uint16_t port() const = 0;
  // All that were bound, in the order of the configuration.
  [[nodiscard]] virtual const std::vector<Listener>& listeners() const = 0;
  [[nodiscard]] virtual const std::string& cluster_id() const = 0;
  // Closes the connections, makes everything durable and marks the data folder as cleanly shut down. Idempotent.
  virtual Status stop() = 0;
};

// Gives the bytes of a frame, without its size, to a broker in memory. Returns 1 when a handler took it.
int fuzz_request(BytesView frame);

}  // namespace muir::broker

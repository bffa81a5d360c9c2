// Process: one instance of the application on one machine, with its state folder, its threads and its way to the
// cluster. Driven turn by turn by one thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/cluster_memory.h"
#include "simulation/network.h"
#include "streams/runtime/global_thread.h"
#include "streams/runtime/stream_thread.h"

namespace muir::simulation {

// The rows of a store: timestamp and value by key; of a window store, the key is followed by the window's start.
using Rows = std::map<Bytes, std::pair<int64_t, Bytes>>;
using Stores = std::map<std::string, std::map<PartitionId, Rows>>;

// What is the same for every process of a run.
struct Machine {
  Clock& clock;
  Dice& dice;
  client::MemoryCluster& cluster;
  Env& files;  // of every process, each in a folder of its own
  std::shared_ptr<const streams::internal::TopologyPlan> plan;
  std::map<std::string, std::string> properties;
};

class Process {
 public:
  // `folder` is its own; state that is there is used.
  Process(Machine& machine, const std::string& folder, int number, Sabotage sabotage);
  ~Process();

  // A turn of each of its threads. Fails when one of them ends for good.
  Status turn();
  void close(bool clean);
  // Every thread has its tasks and nothing to wait for.
  [[nodiscard]] bool at_rest() const;
  // The rows of what is open here.
  Result<Stores> read_stores();

  Link link;
  bool busy = false;  // within a turn or its end, which may stand still

 private:
  struct Worker {
    std::unique_ptr<streams::internal::StreamThread> thread;
    bool open = false;
    int64_t not_before_ms = 0;
  };
  Status start();
  Status turn(Worker& worker);

  Machine& machine_;
  streams::StreamsConfig config_;
  std::unique_ptr<Env> files_;
  std::unique_ptr<client::Client> client_;
  SerdeContext serdes_;
  streams::internal::StoreRegistry stores_;
  streams::internal::RuntimeCounters counters_;
  std::unique_ptr<streams::internal::StateDirectory> directory_;
  streams::internal::RuntimeContext context_;
  std::unique_ptr<streams::internal::GlobalThread> global_;
  bool global_ready_ = false;
  std::vector<Worker> workers_;
};

}  // namespace muir::simulation

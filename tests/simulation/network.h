// What lies between a process and the cluster in a simulation: requests that fail, answers that are lost, brokers that
// are away, a process that stops or dies at a request. Driven by one thread; everything is drawn from one engine.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "client/client.h"

namespace muir::simulation {

// Faults of a whole kind that a correct runtime could not have: the proof that the simulation finds them.
enum class Sabotage : unsigned char {
  none,
  flush_does_not_wait,      // offsets are committed before what was produced is written
  changelogs_after_commit,  // changelog records reach the cluster after the commit that they belong to
  restores_uncommitted,     // changelogs are restored with what was aborted
  reads_uncommitted,        // source topics, repartition topics among them, are read with what was aborted
  zombies_are_not_fenced,   // offsets of a member of an earlier generation are taken
  unstable_offsets,         // committed offsets are asked for without waiting for pending transactions
  restores_to_stable_end,   // a changelog is thought to end where its first open transaction begins
};
std::string_view to_string(Sabotage sabotage);

class FaultyProducer;

// How long records wait in a client that has no reason to hold them back: Kafka Streams' linger.ms, and a slow broker.
constexpr int64_t kLingersMs = 200;

// The engine of all decisions of a run.
class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed * 0x9E3779B97F4A7C15ULL + 1) {}
  uint64_t draw() { return engine_(); }
  // 0 to below `limit`.
  int64_t below(int64_t limit) { return static_cast<int64_t>(engine_() % static_cast<uint64_t>(limit)); }
  bool chance(double p) { return static_cast<double>(engine_() >> 11) * 0x1.0p-53 < p; }

 private:
  std::mt19937_64 engine_;
};

// Chances of each request.
struct LinkFaults {
  double refused = 0;      // the request does not arrive
  double answer_lost = 0;  // it is carried out and nobody is told
  double pause = 0;        // the process stands still before it
  double cut = 0;          // the process dies before it
  double lingers = 0;      // what is produced waits in the client, to be written with something later or in a while
};

// One process' way to the cluster.
class Link {
 public:
  Link(Dice& dice, Clock& clock) : dice_(dice), clock_(clock) {}

  LinkFaults faults{};
  Sabotage sabotage = Sabotage::none;
  int64_t away_until_ms = 0;       // the brokers do not answer
  std::function<void()> on_pause;  // runs the rest of the world for a while
  std::function<void()> on_cut;

  // Before a request: OK, or why it does not arrive.
  Status request(std::string_view what);
  [[nodiscard]] bool away() const { return cut_ || clock_.now_ms() < away_until_ms; }
  // A turn of the client's own threads: what has lingered long enough is written, whether or not somebody waits for it.
  void turn();
  // From now on nothing that the process does reaches the cluster, and nothing that it had open is ended.
  void cut() { cut_ = true; }
  [[nodiscard]] bool is_cut() const { return cut_; }
  Dice& dice() { return dice_; }

  // Of a dead process, or given up with work under way: the cluster goes on believing in them.
  std::vector<std::unique_ptr<client::Producer>> left_producers;
  std::vector<std::unique_ptr<client::GroupMember>> left_members;

 private:
  friend class FaultyProducer;
  Dice& dice_;
  Clock& clock_;
  std::vector<FaultyProducer*> producers_;  // those there are
  bool cut_ = false;
};

// A client whose every request goes over `link`, which outlives it and what it made.
std::unique_ptr<client::Client> behind(Link& link, std::unique_ptr<client::Client> cluster);

}  // namespace muir::simulation

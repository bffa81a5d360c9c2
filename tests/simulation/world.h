// World: a run of an application under what a seed says: its input, its processes, and what befalls them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file_fault.h"
#include "simulation/process.h"
#include "simulation/topologies.h"

namespace muir::simulation {

// What is drawn once for a seed, alike for the disturbed and the undisturbed run.
struct Setting {
  uint64_t seed = 0;
  const Application* application = nullptr;
  bool exactly_once = true;
  bool cached = false;
  bool in_rocksdb = false;
  int partitions = 3;
  int processes = 3;          // at most
  int threads = 1;            // of each
  int64_t membership_ms = 0;  // until the group goes on without a member
  Script script;
};
// `sabotage` narrows the choice to what can show it.
Setting draw_setting(uint64_t seed, Sabotage sabotage = Sabotage::none);
std::string to_string(const Setting& setting);

struct Written {
  Bytes key;
  OptBytes value;
  int64_t timestamp_ms = 0;
  bool operator==(const Written&) const = default;
};
struct Outcome {
  std::vector<std::string> problems;                    // of the run itself
  std::map<std::string, std::vector<Written>> outputs;  // committed, by topic; partition after partition
  std::map<std::string, Rows> live;                     // stores when everything has come to rest
  std::map<std::string, Rows> restored;                 // the same, opened anew from their changelogs alone
  std::vector<std::string> trace;                       // what befell whom
  uint64_t hash = 0;                                    // of everything that happened
};

// Alone, with one thread, and without faults.
Outcome run_undisturbed(const Setting& setting);
Outcome run_disturbed(const Setting& setting, Sabotage sabotage = Sabotage::none);

// The machinery of a run. One thread.
class World {
 public:
  World(const Setting& setting, bool disturbed, Sabotage sabotage);
  ~World();
  Outcome run();

 private:
  struct Place {  // where a process may run: a machine with a disk
    std::unique_ptr<Process> process;
    int64_t frozen_until_ms = 0;
    int folder = 0;  // a lost disk gets another
  };
  void write(const std::vector<Input>& inputs);
  void step();
  void turn(Place& place);
  void befall(Place& place);
  void start(Place& place);
  void clear(Place& place);
  void bury(Place& place, bool lose_state);
  void stand_still(Place& place);
  bool settle(int64_t at_least_ms);
  void read_outputs();
  void read_stores(std::map<std::string, Rows>& out);
  void check_offsets();
  void note(std::string what);
  void problem(std::string what);

  const Setting setting_;
  const bool disturbed_;
  const Sabotage sabotage_;
  ManualClock clock_;
  Dice dice_;
  client::MemoryCluster cluster_;
  FaultEnv files_;  // of every machine, RocksDB's among them
  Machine machine_;
  std::unique_ptr<client::Client> client_;
  std::unique_ptr<client::Admin> admin_;
  std::unique_ptr<client::Producer> producer_;
  client::FaultPlan faults_;
  LinkFaults link_faults_;
  std::vector<Place> places_;
  std::vector<std::unique_ptr<client::Producer>> left_producers_;
  std::vector<std::unique_ptr<client::GroupMember>> left_members_;
  size_t at_ = 0;  // in the script
  bool calm_ = false;
  int standing_still_ = 0;
  int folders_ = 0;
  Outcome outcome_;
};

}  // namespace muir::simulation

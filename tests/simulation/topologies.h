// The applications that are simulated: what they are made of, what is written to them, and in which form what they
// write is the same however the run went.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "simulation/network.h"
#include "streams/dsl.h"

namespace muir::simulation {

// What two runs agree about, for each key. Where several partitions flow together their order is nobody's promise.
enum class Form : unsigned char {
  sequence,  // values and timestamps, in order
  values,    // values in order
  bag,       // values with how often there are
  set,       // values, whether once or more often
  last,      // the last value, with its timestamp
  last_value,
  total,     // the last value, a number; none is as good as 0: what comes and goes within a cache is never seen
  not_less,  // the last value, a number, is as great or greater
  sum,       // of all values
  unchecked,
};

struct Output {
  std::string topic;
  Form exactly_once = Form::sequence;
  Form cached = Form::last;  // exactly once, with record caches
  Form at_least_once = Form::unchecked;
};
struct StoreRows {
  std::string name;
  Form exactly_once = Form::last;
  Form at_least_once = Form::unchecked;
  bool global = false;
};

struct Input {
  std::string topic;
  std::string key;
  OptBytes value;
  int64_t after_ms = 0;  // the record's timestamp, from the begin of the run
};
// Written at once; then time passes.
struct Step {
  std::vector<Input> inputs;
  int64_t then_ms = 0;
};
struct Script {
  std::vector<Input> before;  // the first process starts
  std::vector<Step> steps;
};

struct Application {
  std::string name;
  std::vector<std::string> topics;  // of input
  std::vector<Output> outputs;
  std::vector<StoreRows> stores;
  bool at_least_once = true;  // it has a defined result under at_least_once
  std::function<void(streams::StreamsBuilder&)> build;
  std::function<Script(Dice&, bool exactly_once)> script;
};

const std::vector<Application>& applications();

}  // namespace muir::simulation

// The servers of one process: broker, registry and vehicle tracking system, together or alone.
#pragma once

#include <memory>
#include <string>

#include "apps/muir/settings.h"
#include "apps/muir/start_guard.h"
#include "apps/muir/stop_signal.h"
#include "base/config.h"
#include "base/status.h"

namespace muir::app {

struct ServerOptions {
  Properties properties{};
  std::string host = "127.0.0.1";
  std::string data_dir = "./data";
  int broker_port = 9092;
  int registry_port = 8081;
  std::string bootstrap_servers{};  // of an existing cluster; empty: our own broker is started
  std::string registry_url{};       // of an existing registry; empty: our own is started
  std::string web_dir{};            // empty: found beside the program
  bool demo = false;
  Output output = Output::table;  // of the summary, once everything runs
};

// Whether the addresses that `properties` name to listen on are some of this machine.
Status check_addresses(const Properties& properties);

// Each runs until the stop signal and returns how it went; a signal before everything runs gives the start up.
Status run_up(const ServerOptions& options, const StopSignal& stop, StartGuard& start);
Status run_broker(const ServerOptions& options, const StopSignal& stop, StartGuard& start);
Status run_registry(const ServerOptions& options, const StopSignal& stop, StartGuard& start);
Status run_vts(const ServerOptions& options, const StopSignal& stop, StartGuard& start);

}  // namespace muir::app

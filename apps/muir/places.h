// Where a process is about to listen, read and write: looked at before it starts anything, so that a start that cannot
// succeed leaves no topic and no file behind.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/status.h"

namespace muir::app {

struct Listening {
  std::string what;    // "schema registry"
  std::string option;  // that changes it: "--registry-port"
  std::string host;
  int port = 0;  // 0: any free one
};

struct Places {
  std::vector<Listening> servers{};
  std::string web_dir{};  // as given; empty: it need not exist
  bool demo = false;
  std::string demo_dir{};
  std::vector<std::string> writable_dirs{};  // made when they are missing, the last thing of all
  std::function<bool()> given_up{};          // ends the waiting for a port; empty: never
};

// Whether the hosts are addresses of this machine, whoever uses the ports.
Status check_hosts(std::vector<Listening> servers);
// The first that will not do, with the option that changes it.
Status check_places(const Places& places);

}  // namespace muir::app

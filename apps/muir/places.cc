#include "apps/muir/places.h"

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "net/port_check.h"

namespace muir::app {
namespace {

namespace fs = std::filesystem;

// A program that was killed a moment ago holds its ports a little longer: as long as its folder is waited for.
constexpr int kPortTries = 30;
constexpr std::chrono::milliseconds kPortRetry{100};

Status check_ports(const std::vector<Listening>& servers, const std::function<bool()>& given_up) {
  const auto any = [](const std::string& host) { return host.empty() || host == "0.0.0.0" || host == "::"; };
  for (size_t i = 0; i < servers.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const bool same = servers[i].host == servers[j].host || any(servers[i].host) || any(servers[j].host);
      if (same && servers[i].port != 0 && servers[i].port == servers[j].port)
        return error(Code::invalid_argument, "{} and {} are both {}: each server needs a port of its own",
                     servers[j].option, servers[i].option, servers[i].port);
    }
  }
  int tries = 0;
  const auto again = [&] {
    if (++tries > kPortTries || (given_up && given_up())) return false;
    std::this_thread::sleep_for(kPortRetry);
    return true;
  };
  for (const Listening& server : servers) {
    const Status free = net::wait_for_port(server.host, static_cast<uint16_t>(server.port), again);
    if (free.ok()) continue;
    const Status named = free.annotate(server.what);
    if (free.code() != Code::already_exists) return named;
    return error(named.code(), "{}; stop that program, or choose another port with {} (it was {})", named.message(),
                 server.option, server.port);
  }
  return {};
}

Status check_demo(const std::string& folder) {
  if (folder.empty())
    return error(Code::not_found, "the recording of the demo (apps/vts/demo) was not found; start with --no-demo");
  for (const char* name : {"positions.csv.gz", "vehicles.csv", "districts.geojson"}) {
    std::error_code ec;
    if (!fs::is_regular_file(fs::path(folder) / name, ec))
      return error(Code::not_found, "the demo's {}/{} is missing; start with --no-demo", folder, name);
  }
  return {};
}

Status check_writable(const std::string& folder) {
  const auto wrong = [&folder](std::string_view why) {
    return error(Code::io_error, "data folder {}: {}; choose another one with --data (log.dirs for a broker)", folder,
                 why);
  };
  std::error_code ec;
  fs::create_directories(folder, ec);
  if (ec) return wrong(ec.message());
  if (!fs::is_directory(folder, ec)) return wrong("not a folder");
  const std::string probe = folder + "/.muir-writes-here";
  const Status written = system_env().replace_file(probe, "x");
  fs::remove(probe, ec);
  fs::remove(probe + ".tmp", ec);
  if (written.ok()) return {};
  if (written.code() != Code::resource_exhausted) return wrong(written.message());
  // What is there can be read, and deleted to make room, only by what has been started.
  log::warn("data folder {}: {}. What is there can be read and deleted; nothing is taken until there is room", folder,
            written.message());
  return {};
}

}  // namespace

Status check_hosts(std::vector<Listening> servers) {
  for (Listening& server : servers) server.port = 0;
  return check_ports(servers, {});
}

Status check_places(const Places& places) {
  MUIR_RETURN_IF_ERROR(check_ports(places.servers, places.given_up));
  std::error_code ec;
  if (!places.web_dir.empty() && !fs::is_regular_file(fs::path(places.web_dir) / "index.html", ec))
    return error(Code::invalid_argument, "--web-dir {}: there is no index.html; build the page with npm in web/",
                 places.web_dir);
  if (places.demo) MUIR_RETURN_IF_ERROR(check_demo(places.demo_dir));
  for (const std::string& folder : places.writable_dirs) MUIR_RETURN_IF_ERROR(check_writable(folder));
  return {};
}

}  // namespace muir::app

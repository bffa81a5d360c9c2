// The command line of Muir.
#include <CLI/CLI.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "apps/muir/replay_command.h"
#include "apps/muir/servers.h"
#include "apps/muir/settings.h"
#include "apps/muir/stop_signal.h"
#include "base/log.h"

namespace muir::app {
namespace {

// Exit codes.
constexpr int kFailed = 1;  // something did not work
constexpr int kUsage = 2;   // the arguments or the configuration are wrong

struct Arguments {
  SettingSources sources{};
  ServerOptions server{};
  int http_port = 8080;
  bool no_demo = false;
  std::string replay_file{};
  std::string replay_speed = "1";
  vts::ReplayOptions replay{};
};

void add_settings(CLI::App& command, Arguments& arguments) {
  command.add_option("--config", arguments.sources.config_file, "Java-properties file with configuration keys")
      ->type_name("FILE");
  command
      .add_option("--set", arguments.sources.set,
                  "Sets one configuration key; may be repeated. Also as environment MUIR_KEY_NAME")
      ->type_name("KEY=VALUE")
      ->take_all();
  command.add_option("--host", arguments.server.host, "Address to listen on; 0.0.0.0 for all")->capture_default_str();
  command.add_option("--data", arguments.server.data_dir, "Folder for everything that is kept")
      ->capture_default_str()
      ->type_name("DIR");
}

void add_http(CLI::App& command, Arguments& arguments) {
  command.add_option("--http-port", arguments.http_port, "Port of map and REST interface")
      ->capture_default_str()
      ->check(CLI::Range(0, 65'535));
  command
      .add_option("--web-dir", arguments.server.web_dir, "Folder of the built page; default: found beside the program")
      ->type_name("DIR");
}

void add_broker_port(CLI::App& command, Arguments& arguments) {
  command.add_option("--broker-port", arguments.server.broker_port, "Port of the Kafka broker")
      ->capture_default_str()
      ->check(CLI::Range(0, 65'535));
}

void add_registry_port(CLI::App& command, Arguments& arguments) {
  command.add_option("--registry-port", arguments.server.registry_port, "Port of the schema registry")
      ->capture_default_str()
      ->check(CLI::Range(0, 65'535));
}

CLI::Option* add_bootstrap(CLI::App& command, Arguments& arguments) {
  return command
      .add_option("--bootstrap-servers", arguments.server.bootstrap_servers, "A Kafka cluster, as host:port,host:port")
      ->type_name("HOSTS");
}

void add_registry_url(CLI::App& command, Arguments& arguments) {
  command
      .add_option("--schema-registry-url,--schema.registry.url", arguments.server.registry_url,
                  "A running schema registry")
      ->type_name("URL");
}

CLI::App* add_replay(CLI::App& vts, Arguments& arguments) {
  CLI::App* replay = vts.add_subcommand("replay", "Posts a recording to a running system");
  replay
      ->add_option("file", arguments.replay_file,
                   "CSV (vehicle_id,ts_ms,lat,lon,speed_kmh,heading; plain or .gz) or Avro (.avro)")
      ->required();
  replay
      ->add_option("--speed", arguments.replay_speed,
                   "Times the recorded pace, or 'max'; above 1 the last fix is now, else the first")
      ->capture_default_str();
  replay->add_flag("--keep-times", arguments.replay.keep_times,
                   "Send the recorded times; otherwise the first fix happens now");
  replay->add_option("--url", arguments.replay.url, "Where positions are posted")->capture_default_str();
  replay->add_option("--batch", arguments.replay.batch, "Positions per request at most")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  return replay;
}

Result<double> parse_speed(const std::string& text) {
  if (text == "max") return 0.0;
  double speed = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), speed);
  if (failure != std::errc() || end != text.data() + text.size() || !(speed > 0)) {
    return error(Code::invalid_argument, "--speed {}: a number above 0, or max", text);
  }
  return speed;
}

int report(const Status& status) {
  if (status.ok()) return 0;
  fmt::print(stderr, "muir: {}\n", status.message());
  return status.code() == Code::invalid_argument ? kUsage : kFailed;
}

using Run = Status (*)(const ServerOptions&, const StopSignal&);

// `command` is the one that was parsed into `arguments`.
int serve(Arguments& arguments, const StopSignal& stop, Run run, bool needs_vts, const CLI::App& command) {
  auto properties = gather(arguments.sources);
  if (!properties.ok()) {
    report(properties.status());
    return kUsage;  // also a configuration file that cannot be read
  }
  ServerOptions& server = arguments.server;
  server.properties = std::move(*properties);
  if (needs_vts) {
    // An option that is given wins over its key, the option's default does not.
    const auto put = [&](const char* option, const char* key, std::string value) {
      if (command.count(option) > 0 || !server.properties.contains(key)) server.properties[key] = std::move(value);
    };
    put("--host", "vts.http.host", server.host);
    put("--http-port", "vts.http.port", std::to_string(arguments.http_port));
  }
  // Configuration may name what the options do.
  const auto configured = [&server](const char* key) {
    const auto it = server.properties.find(key);
    return it == server.properties.end() ? std::string() : it->second;
  };
  if (server.bootstrap_servers.empty()) server.bootstrap_servers = configured("bootstrap.servers");
  if (server.registry_url.empty()) server.registry_url = configured("schema.registry.url");
  return report(run(server, stop));
}

// Says so when `word` stands where a command belongs and is none.
bool reject_unknown_command(const CLI::App& cli, const std::string& word) {
  if (word.starts_with('-')) return false;
  std::vector<std::string> names;
  for (const CLI::App* command : cli.get_subcommands(nullptr)) names.push_back(command->get_name());
  if (std::find(names.begin(), names.end(), word) != names.end()) return false;
  const std::string near = nearest(word, names);
  fmt::print(stderr, "muir: unknown command '{}'; {}\n", word,
             near.empty() ? fmt::format("the commands are {}", fmt::join(names, ", "))
                          : fmt::format("did you mean '{}'?", near));
  return true;
}

int main(int argc, char** argv) {
  CLI::App cli{"Muir: Kafka stream processing in one program.", "muir"};
  cli.footer(
      "Begin with:\n  muir up                    everything on this machine, with a demo; then open "
      "http://localhost:8080\n"
      "  muir up --no-demo          the same, empty: post your own positions\n"
      "  muir COMMAND --help        the options of a command\n\n"
      "Exit codes: 0 done, 1 failed, 2 wrong arguments or configuration.\n"
      "Environment: MUIR_LOG_LEVEL=debug|info|warn|error; MUIR_KEY_NAME sets configuration key key.name.");
  cli.set_version_flag("--version", std::string("muir ") + MUIR_VERSION);
  cli.require_subcommand(1);
  Arguments arguments;

  CLI::App* up = cli.add_subcommand("up", "Broker, schema registry, vehicle tracking and map in one process");
  add_settings(*up, arguments);
  add_http(*up, arguments);
  add_broker_port(*up, arguments);
  add_registry_port(*up, arguments);
  add_bootstrap(*up, arguments)->description("Use this Kafka cluster instead of starting a broker");
  add_registry_url(*up, arguments);
  up->add_flag("--no-demo", arguments.no_demo, "Start empty, without replaying the recorded buses");

  CLI::App* broker = cli.add_subcommand("broker", "A durable Kafka broker on one machine");
  add_settings(*broker, arguments);
  add_broker_port(*broker, arguments);

  CLI::App* registry = cli.add_subcommand("registry", "A schema registry over a Kafka cluster");
  add_settings(*registry, arguments);
  add_registry_port(*registry, arguments);
  add_bootstrap(*registry, arguments)->required();

  CLI::App* vts =
      cli.add_subcommand("vts", "The vehicle tracking system over a Kafka cluster; vts replay posts a recording");
  add_settings(*vts, arguments);
  add_http(*vts, arguments);
  add_bootstrap(*vts, arguments);
  add_registry_url(*vts, arguments);
  CLI::App* replay = add_replay(*vts, arguments);

  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    if (argc > 1 && reject_unknown_command(cli, argv[1])) return kUsage;
    return cli.exit(failure) == 0 ? 0 : kUsage;
  }

  const StopSignal stop;
  if (replay->parsed()) {
    const auto speed = parse_speed(arguments.replay_speed);
    if (!speed.ok()) return report(speed.status());
    arguments.replay.speed = *speed;
    return report(run_replay(arguments.replay_file, arguments.replay, stop));
  }
  if (up->parsed()) {
    arguments.server.demo = !arguments.no_demo;
    return serve(arguments, stop, run_up, true, *up);
  }
  if (broker->parsed()) return serve(arguments, stop, run_broker, false, *broker);
  if (registry->parsed()) return serve(arguments, stop, run_registry, false, *registry);
  if (arguments.server.bootstrap_servers.empty()) arguments.server.bootstrap_servers = "127.0.0.1:9092";
  if (arguments.server.registry_url.empty()) arguments.server.registry_url = "http://127.0.0.1:8081";
  return serve(arguments, stop, run_vts, true, *vts);
}

}  // namespace
}  // namespace muir::app

int main(int argc, char** argv) { return muir::app::main(argc, argv); }

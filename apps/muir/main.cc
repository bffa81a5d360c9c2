// The command line of Muir.
#include <CLI/CLI.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "apps/muir/config_command.h"
#include "apps/muir/parts.h"
#include "apps/muir/replay_command.h"
#include "apps/muir/say.h"
#include "apps/muir/servers.h"
#include "apps/muir/settings.h"
#include "apps/muir/start_guard.h"
#include "apps/muir/stop_signal.h"
#include "base/config_value.h"
#include "base/log.h"

namespace muir::app {
namespace {

// Exit codes.
constexpr int kFailed = 1;  // something did not work
constexpr int kUsage = 2;   // the arguments or the configuration are wrong

constexpr const char* kConfigurationHelp =
    "Configuration: keys are Kafka's; --config FILE, then environment MUIR_KEY_NAME (key.name), then --set; the last "
    "one\n"
    "wins. All keys: muir config, and docs/reference/configuration.md. Exit codes: 0 done, 1 failed, 2 wrong arguments "
    "or "
    "configuration.";

struct Arguments {
  SettingSources sources{};
  ServerOptions server{};
  int http_port = 8080;
  bool no_demo = false;
  std::vector<std::string> config_words{};
  bool config_reference = false;
  std::string replay_file{};
  std::string replay_ca_file{};
  std::string replay_speed = "1";
  vts::ReplayOptions replay{};
  Output output = Output::table;
};

// Where a command's peers are when neither options nor configuration say.
struct Peers {
  std::string bootstrap_servers{};
  std::string registry_url{};
};

void add_output(CLI::App& command, Arguments& arguments, const std::string& what) {
  static const std::map<std::string, Output> outputs{{"table", Output::table}, {"json", Output::json}};
  command.add_option("--output", arguments.output, what + ": table for people, json for programs (one line)")
      ->transform(CLI::Validator(
          [](std::string& value) {
            const auto found = outputs.find(CLI::detail::to_lower(value));
            if (found == outputs.end()) return fmt::format("'{}' is neither table nor json", value);
            value = std::to_string(static_cast<int>(found->second));
            return std::string();
          },
          ""))
      ->type_name("table|json")
      ->default_str("table");
}

// A variable that is not set must not mean another thing than was asked for: every address, the root folder.
CLI::Validator not_empty() {
  return CLI::Validator(
      [](std::string& value) {
        return value.find_first_not_of(" \t") == std::string::npos
                   ? std::string("is empty; leave the option out, or give it a value")
                   : std::string();
      },
      "");
}

void add_sources(CLI::App& command, Arguments& arguments) {
  command.add_option("--config", arguments.sources.config_file, "Java-properties file with configuration keys")
      ->check(not_empty())
      ->type_name("FILE");
  command
      .add_option("--set", arguments.sources.set,
                  "Sets one configuration key; may be repeated. Also as environment MUIR_KEY_NAME")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->allow_extra_args(false);  // one each: the next word is the command's
}

void add_settings(CLI::App& command, Arguments& arguments) {
  add_sources(command, arguments);
  add_output(command, arguments, "What is printed once everything runs");
  command.add_option("--host", arguments.server.host, "Address to listen on; 0.0.0.0 for all")
      ->capture_default_str()
      ->check(not_empty())
      ->type_name("ADDRESS");
  command
      .add_option("--data", arguments.server.data_dir,
                  "Folder for everything that is kept; log.dirs may name another one for the broker's topics")
      ->capture_default_str()
      ->check(not_empty())
      ->type_name("DIR");
}

// As the configuration has them: decimal. The library takes "010" for eight, and "0x50" too.
CLI::Validator whole_number(int64_t least, int64_t most) {
  return CLI::Validator(
      [least, most](std::string& value) {
        const auto number = config_integer(value);
        if (!number || *number < least || *number > most)
          return fmt::format("'{}' is no whole number from {} to {}", value, least, most);
        value = std::to_string(*number);
        return std::string();
      },
      "");
}

CLI::Validator port_range() { return whole_number(0, 65'535); }

void add_http(CLI::App& command, Arguments& arguments) {
  command.add_option("--http-port", arguments.http_port, "Port of map and REST interface")
      ->capture_default_str()
      ->transform(port_range())
      ->type_name("PORT");
  command
      .add_option("--web-dir", arguments.server.web_dir, "Folder of the built page; default: found beside the program")
      ->check(not_empty())
      ->type_name("DIR");
}

void add_broker_port(CLI::App& command, Arguments& arguments) {
  command.add_option("--broker-port", arguments.server.broker_port, "Port of the Kafka broker")
      ->capture_default_str()
      ->transform(port_range())
      ->type_name("PORT");
}

void add_registry_port(CLI::App& command, Arguments& arguments) {
  command.add_option("--registry-port", arguments.server.registry_port, "Port of the schema registry")
      ->capture_default_str()
      ->transform(port_range())
      ->type_name("PORT");
}

CLI::Option* add_bootstrap(CLI::App& command, Arguments& arguments) {
  return command
      .add_option("--bootstrap-servers", arguments.server.bootstrap_servers, "A Kafka cluster, as host:port,host:port")
      ->check(not_empty())
      ->type_name("HOSTS");
}

void add_registry_url(CLI::App& command, Arguments& arguments) {
  command
      .add_option("--schema-registry-url,--schema.registry.url", arguments.server.registry_url,
                  "A running schema registry")
      ->check(not_empty())
      ->type_name("URL");
}

CLI::App* add_replay(CLI::App& vts, Arguments& arguments) {
  CLI::App* replay = vts.add_subcommand("replay", "Posts a recording to a running system");
  add_output(*replay, arguments, "The summary at the end");
  replay->footer(
      "Examples:\n"
      "  muir vts replay positions.csv.gz                         at its own pace, the first fix happens now\n"
      "  muir vts replay positions.csv --speed 10                 ten times as fast\n"
      "  muir vts replay positions.avro --speed max --keep-times  as fast as it is acknowledged, as it was");
  replay
      ->add_option("file", arguments.replay_file,
                   "CSV (vehicle_id,ts_ms,lat,lon,speed_kmh,heading; plain or .gz) or Avro (.avro)")
      ->required()
      ->check(not_empty())
      ->type_name("FILE");
  replay
      ->add_option("--speed", arguments.replay_speed,
                   "Times the recorded pace, or 'max'; above 1 the last fix is now, else the first")
      ->capture_default_str()
      ->type_name("N|max");
  replay
      ->add_flag("--keep-times", arguments.replay.keep_times,
                 "Send the recorded times; otherwise the first fix happens now")
      ->disable_flag_override();  // "--keep-times=5" says nothing
  replay
      ->add_option("--ca-file", arguments.replay_ca_file,
                   "PEM file of the certificates that an https URL is trusted by")
      ->check(not_empty())
      ->type_name("FILE");
  replay->add_option("--url", arguments.replay.url, "Where positions are posted")
      ->capture_default_str()
      ->type_name("URL");
  replay->add_option("--batch", arguments.replay.batch, "Positions per request at most")
      ->capture_default_str()
      ->transform(whole_number(1, 10'000))
      ->type_name("N");
  return replay;
}

Result<double> parse_speed(const std::string& text) {
  if (text == "max") return 0.0;
  double speed = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), speed);
  if (failure != std::errc() || end != text.data() + text.size() || !(speed > 0) || !std::isfinite(speed)) {
    return error(Code::invalid_argument, "--speed {}: a number above 0, or max", text);
  }
  return speed;
}

int report(const Status& status) {
  if (status.ok()) return 0;
  complain("muir: {}\n", status.message());
  return status.code() == Code::invalid_argument ? kUsage : kFailed;
}

using Run = Status (*)(const ServerOptions&, const StopSignal&, StartGuard&);

// `command` is the one that was parsed into `arguments`.
int serve(Arguments& arguments, const StopSignal& stop, StartGuard& guard, Run run, bool needs_vts,
          const CLI::App& command, const Peers& defaults = {}) {
  auto settings = gather(arguments.sources);
  if (!settings.ok()) {
    report(settings.status());
    return kUsage;  // also a configuration file that cannot be read
  }
  ServerOptions& server = arguments.server;
  server.output = arguments.output;
  server.properties = std::move(settings->values);
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
  if (server.bootstrap_servers.empty()) server.bootstrap_servers = defaults.bootstrap_servers;
  if (server.registry_url.empty()) server.registry_url = defaults.registry_url;
  if (command.get_name() == "broker" && command.count("--data") > 0) {
    for (const char* key : {"log.dirs", "log.dir"}) {
      if (configured(key).empty()) continue;
      complain("muir: --data {} and {}={} both name the broker's folder; give one of them\n", server.data_dir, key,
               configured(key));
      return kUsage;
    }
  }
  return report(run(server, stop, guard));
}

int show_config(const Arguments& arguments) {
  if (arguments.config_reference) return report(answer(reference()));
  const auto settings = gather(arguments.sources);
  if (!settings.ok()) {
    report(settings.status());
    return kUsage;
  }
  return report(run_config(*settings, fmt::format("{}", fmt::join(arguments.config_words, " ")), arguments.output));
}

// Says so when `word` stands where a command belongs and is none.
bool reject_unknown_command(const CLI::App& cli, const std::string& word) {
  if (word.starts_with('-')) return false;
  std::vector<std::string> names;
  for (const CLI::App* command : cli.get_subcommands(nullptr)) names.push_back(command->get_name());
  if (std::find(names.begin(), names.end(), word) != names.end()) return false;
  const std::string near = nearest(word, names);
  complain("muir: unknown command '{}'; {}\n", word,
           near.empty() ? fmt::format("the commands are {}", fmt::join(names, ", "))
                        : fmt::format("did you mean '{}'?", near));
  return true;
}

// Help and version are what was asked for, and must arrive.
int end_of(const CLI::App& cli, const CLI::ParseError& failure) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = cli.exit(failure, out, err);
  write_err(err.str());
  if (code != 0) return kUsage;
  return report(answer(out.str()));
}

int main(int argc, char** argv, const StopSignal& stop) {
  CLI::App cli{"Muir: Kafka stream processing in one program.", "muir"};
  cli.footer(
      "Begin with:\n  muir up                    everything on this machine, with a demo; then open "
      "http://localhost:8080\n"
      "  muir up --no-demo          the same, empty: post your own positions\n"
      "  muir config [WORD...]      configuration keys, their values and meaning\n"
      "  muir COMMAND --help        the options of a command\n\n"
      "Exit codes: 0 done, 1 failed, 2 wrong arguments or configuration.\n"
      "Environment: MUIR_LOG_LEVEL=debug|info|warn|error; MUIR_KEY_NAME sets configuration key key.name.\n"
      "Ctrl-C ends in order; a second one at once.");
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
  up->add_flag("--no-demo", arguments.no_demo, "Start empty, without replaying the recorded buses")
      ->disable_flag_override();
  up->footer(
      std::string(
          "Examples:\n"
          "  muir up                                    http://localhost:8080 shows buses; data in ./data\n"
          "  muir up --no-demo --host 0.0.0.0           empty, and open to the network (there is no authentication)\n"
          "  muir up --set vts.speed.limit.kmh=70 --set num.stream.threads=4\n"
          "  muir up --bootstrap-servers kafka1:9092,kafka2:9092\n"
          "Post a position:\n"
          "  curl localhost:8080/api/v1/positions -d "
          "\"{\\\"vehicleId\\\":\\\"V1\\\",\\\"lat\\\":52.23,\\\"lon\\\":21.01,\\\"timestamp\\\":$(date +%s)000}\"\n") +
      kConfigurationHelp);

  CLI::App* broker = cli.add_subcommand("broker", "A durable Kafka broker on one machine");
  add_settings(*broker, arguments);
  add_broker_port(*broker, arguments);
  broker->footer(std::string("Examples:\n"
                             "  muir broker\n"
                             "  muir broker --data /var/lib/muir --set num.partitions=8 --set log.retention.hours=24\n"
                             "  kcat -b localhost:9092 -L\n") +
                 kConfigurationHelp);

  CLI::App* registry = cli.add_subcommand("registry", "A schema registry over a Kafka cluster");
  add_settings(*registry, arguments);
  add_registry_port(*registry, arguments);
  add_bootstrap(*registry, arguments)->required();
  registry->footer(std::string("Examples:\n"
                               "  muir registry --bootstrap-servers localhost:9092\n"
                               "  curl localhost:8081/subjects\n") +
                   kConfigurationHelp);

  CLI::App* vts =
      cli.add_subcommand("vts", "The vehicle tracking system over a Kafka cluster; vts replay posts a recording");
  add_settings(*vts, arguments);
  add_http(*vts, arguments);
  add_bootstrap(*vts, arguments);
  add_registry_url(*vts, arguments);
  vts->footer(std::string("Examples:\n"
                          "  muir vts --bootstrap-servers kafka1:9092 --schema-registry-url http://registry:8081\n"
                          "  muir vts replay positions.csv.gz --speed 10\n") +
              kConfigurationHelp);
  CLI::App* replay = add_replay(*vts, arguments);

  CLI::App* config = cli.add_subcommand("config", "Every configuration key, its value now, and what it means");
  add_sources(*config, arguments);
  add_output(*config, arguments, "The keys");
  CLI::Option* words =
      config->add_option("word", arguments.config_words, "Only keys whose name or meaning holds all of these")
          ->type_name("WORD");
  config->add_flag("--reference", arguments.config_reference, "All keys as tables in Markdown, for the documents")
      ->disable_flag_override()
      ->excludes(words, config->get_option("--output"));
  config->footer(std::string("Examples:\n"
                             "  muir config speed\n"
                             "  muir config --config fleet.properties --output json\n") +
                 kConfigurationHelp);

  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    if (argc > 1 && reject_unknown_command(cli, argv[1])) return kUsage;
    return end_of(cli, failure);
  }

  if (replay->parsed()) {
    for (const CLI::Option* option : vts->get_options()) {
      if (option->count() == 0) continue;
      complain("muir: {} is of vts, not of vts replay\n", option->get_name());
      return kUsage;
    }
    const auto speed = parse_speed(arguments.replay_speed);
    if (!speed.ok()) return report(speed.status());
    arguments.replay.speed = *speed;
    if (!arguments.replay_ca_file.empty()) {
      auto tls = net::TlsContext::client({.trusted_certificates = {.path = arguments.replay_ca_file}});
      if (!tls.ok()) return report(tls.status());
      arguments.replay.tls = std::move(*tls);
    }
    return report(run_replay(arguments.replay_file, arguments.replay, arguments.output, stop));
  }
  StartGuard guard(stop);
  if (config->parsed()) return show_config(arguments);
  if (up->parsed()) {
    arguments.server.demo = !arguments.no_demo;
    return serve(arguments, stop, guard, run_up, true, *up);
  }
  if (broker->parsed()) return serve(arguments, stop, guard, run_broker, false, *broker);
  if (registry->parsed()) return serve(arguments, stop, guard, run_registry, false, *registry);
  return serve(arguments, stop, guard, run_vts, true, *vts, {"127.0.0.1:9092", "http://127.0.0.1:8081"});
}

}  // namespace
}  // namespace muir::app

int main(int argc, char** argv) {
  muir::app::keep_standard_streams();  // first: what is opened must not become one of them
  const muir::app::StopSignal stop;    // before anything that takes time
  try {
    (void)muir::log::enabled(muir::log::Level::error);  // an unknown MUIR_LOG_LEVEL is said, though nothing is logged
    return muir::app::main(argc, argv, stop);
  } catch (const std::exception& e) {
    muir::app::complain("muir: {}\n", e.what());
    return muir::app::kFailed;
  }
}

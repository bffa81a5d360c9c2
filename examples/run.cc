#include "run.h"

#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <memory>

#include "client/kafka_client.h"

namespace examples {
namespace {

using muir::Status;
using muir::streams::KafkaStreams;
using muir::streams::StreamsState;

using Properties = std::map<std::string, std::string>;

// The example's, with those of the command line over them.
Properties properties(const Example& example, const Properties& given) {
  Properties out{{"application.id", example.name}, {"processing.guarantee", "exactly_once_v2"}};
  if (!example.dead_letters.empty()) {
    out["deserialization.exception.handler"] = "log_and_continue";
    out["processing.exception.handler"] = "log_and_continue";
    out["errors.dead.letter.queue.topic.name"] = example.dead_letters;
  }
  for (const auto& [key, value] : given) out[key] = value;
  return out;
}

Status make_topics(const Example& example, muir::client::Client& client) {
  const auto admin = MUIR_TRY(client.admin());
  for (const std::string& topic : example.topics) {
    const Status made = admin->create_topic({.name = topic});
    if (!made.ok() && made.code() != muir::Code::already_exists) return made;
  }
  return {};
}

// Lines of the standard input, as far as they have come.
class Lines {
 public:
  // Reads once; false at the end of the input.
  bool read(const std::function<void(const std::string&)>& line) {
    char buffer[4096];
    const ssize_t size = ::read(STDIN_FILENO, buffer, sizeof(buffer));
    if (size <= 0) return false;
    pending_.append(buffer, static_cast<size_t>(size));
    for (size_t end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n')) {
      line(pending_.substr(0, end));
      pending_.erase(0, end + 1);
    }
    return true;
  }

 private:
  std::string pending_;
};

// Until one of the signals comes.
void serve(const Example& example, KafkaStreams& app, int signals) {
  pollfd ready[2] = {{.fd = signals, .events = POLLIN, .revents = 0},
                     {.fd = example.answer ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0}};
  Lines lines;
  while (poll(ready, 2, -1) >= 0 || errno == EINTR) {
    if (ready[0].revents != 0) return;
    if (ready[1].revents == 0) continue;
    const bool more = lines.read([&](const std::string& line) {
      fmt::print("{}\n", example.answer(app, line));
      std::fflush(stdout);
    });
    if (!more) ready[1].fd = -1;
  }
}

Status run_with(const Example& example, const Properties& given, int signals) {
  const auto topology = MUIR_TRY(example.topology);
  const auto config = MUIR_TRY(muir::streams::StreamsConfig::parse(properties(example, given)));
  const auto client = MUIR_TRY(muir::client::connect_kafka(config.common));
  MUIR_RETURN_IF_ERROR(make_topics(example, *client));
  const auto app = MUIR_TRY(KafkaStreams::create(topology, config, *client));
  // A failure that no handler absorbed ends the program like Ctrl-C does, and is its result.
  app->set_state_listener([](StreamsState to, StreamsState) {
    if (to == StreamsState::error) kill(getpid(), SIGTERM);
  });
  MUIR_RETURN_IF_ERROR(app->start());
  serve(example, *app, signals);
  const Status failure = app->failure();
  const Status closed = app->close(30'000);
  return failure.ok() ? closed : failure;
}

}  // namespace

int run(int argc, char** argv, const Example& example) {
  const std::string argument = argc > 1 ? argv[1] : "localhost:9092";
  if (argument == "--help" || argument == "-h") {
    fmt::print(
        "{0}\n\n  {1} [BOOTSTRAP_SERVERS [KEY=VALUE...]]   until Ctrl-C; default localhost:9092; missing topics are "
        "made;\n"
        "                                             any of Kafka Streams' keys, such as state.dir=/var/lib/mine\n"
        "  {1} --describe                           prints the topology and ends\n",
        example.about, example.name);
    return 0;
  }
  if (argument == "--describe" && example.topology.ok()) {
    fmt::print("{}", example.topology.value().describe());
    return 0;
  }
  Properties given{{"bootstrap.servers", argument}};
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t equals = word.find('=');
    if (equals == std::string::npos) {
      fmt::print(stderr, "{}: {} is no KEY=VALUE; see --help\n", example.name, word);
      return 2;
    }
    given[word.substr(0, equals)] = word.substr(equals + 1);
  }
  // Blocked before any thread starts, so that only serve() sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const Status status = run_with(example, given, signalfd(-1, &signals, SFD_CLOEXEC));
  if (!status.ok()) fmt::print(stderr, "{}: {}\n", example.name, status.message());
  return status.ok() ? 0 : 1;
}

}  // namespace examples

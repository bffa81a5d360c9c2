// Counts words: reads lines from "lines", keeps a count per word, writes every new count to "word-counts".
//
//   muir broker &
//   kafka-topics.sh --bootstrap-server localhost:9092 --create --topic lines    or: kcat -b localhost:9092 -L -t lines
//   word_count localhost:9092
//   word_count --describe          prints the topology and ends
#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <cctype>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "client/kafka_client.h"
#include "streams/dsl.h"
#include "streams/kafka_streams.h"

// [words]
std::vector<std::string> split_words(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : line + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      word.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  return words;
}
// [words]

// [topology]
muir::Result<muir::streams::Topology> word_count() {
  muir::streams::StreamsBuilder builder;
  builder.stream<std::string, std::string>("lines")
      .flat_map_values(split_words)
      .group_by(std::identity(), {.name = "by-word"})
      .count({.store = "counts"})
      .to_stream()
      .to("word-counts");
  return builder.build();
}
// [topology]

// [run]
muir::Status run(const std::string& bootstrap_servers, const sigset_t& until) {
  const auto topology = MUIR_TRY(word_count());
  const auto config = MUIR_TRY(muir::streams::StreamsConfig::parse({{"application.id", "word-count"},
                                                                    {"bootstrap.servers", bootstrap_servers},
                                                                    {"processing.guarantee", "exactly_once_v2"}}));
  const auto client = MUIR_TRY(muir::client::connect_kafka(config.common));
  const auto app = MUIR_TRY(muir::streams::KafkaStreams::create(topology, config, *client));
  // A failure that no handler absorbed ends the program like Ctrl-C does, and is its result.
  app->set_state_listener([](muir::streams::StreamsState to, muir::streams::StreamsState) {
    if (to == muir::streams::StreamsState::error) kill(getpid(), SIGTERM);
  });
  MUIR_RETURN_IF_ERROR(app->start());
  int signal = 0;
  sigwait(&until, &signal);
  const muir::Status failure = app->failure();
  const muir::Status closed = app->close(30'000);
  return failure.ok() ? closed : failure;
}
// [run]

int main(int argc, char** argv) {
  const std::string argument = argc > 1 ? argv[1] : "localhost:9092";
  if (argument == "--help" || argument == "-h") {
    fmt::print(
        "Counts the words of topic lines into topic word-counts.\n\n"
        "  word_count [BOOTSTRAP_SERVERS]   until Ctrl-C; default localhost:9092; topic lines must exist\n"
        "  word_count --describe            prints the topology and ends\n");
    return 0;
  }
  if (argument == "--describe") {
    fmt::print("{}", word_count().value().describe());
    return 0;
  }
  // Blocked before any thread starts, so that only sigwait() sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const muir::Status status = run(argument, signals);
  if (!status.ok()) fmt::print(stderr, "word_count: {}\n", status.message());
  return status.ok() ? 0 : 1;
}

// Counts words in the test driver: everything that a streams application links.
#include <client/kafka_client.h>
#include <streams/dsl.h>
#include <streams/kafka_streams.h>
#include <streams/test_driver.h>
#include <cstdio>

int main() {
  using namespace muir::streams;
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("words").group_by(std::identity()).count().to_stream().to("counts");
  const auto topology = builder.build();
  if (!topology.ok()) return 1;
  auto driver = *TestDriver::create(*topology);
  auto words = *driver->input<std::string, std::string>("words");
  auto counts = *driver->output<std::string, int64_t>("counts");
  for (const char* word : {"to", "be", "or", "not", "to", "be"}) {
    if (!words.pipe("", word, 0).ok()) return 1;
  }
  while (!counts.empty()) {
    const auto record = *counts.read();
    std::printf("%s=%lld ", record.key->c_str(), static_cast<long long>(*record.value));
  }
  // Made and not started: links the whole runtime.
  const auto config = StreamsConfig::parse({{"application.id", "words"}, {"bootstrap.servers", "localhost:1"}});
  const auto client = muir::client::connect_kafka(config->common);
  const auto app = KafkaStreams::create(*topology, *config, **client);
  std::puts(app.ok() ? "made" : app.status().message().c_str());
}

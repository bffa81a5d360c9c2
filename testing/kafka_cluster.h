// KafkaCluster: a real Apache Kafka of several KRaft brokers, started for a test and gone with it.
//
// Needs the jars that ./test puts into build/kafka (testing/kafka/pom.xml) and a JVM. Starting takes some seconds:
// share one between the tests of a suite. Owned by one thread.
#pragma once

#include <map>
#include <string>

#include "base/status.h"
#include "testing/child_process.h"

namespace muir::testing {

class KafkaCluster {
 public:
  // `overrides` are broker properties laid over the fixture's. `tls_folder` holds keystore.pem (a private key and its
  // certificate chain, for localhost) and trust.pem: with it, every node also has a listener of protocol SSL.
  static Result<KafkaCluster> start(int nodes = 3, const std::map<std::string, std::string>& overrides = {},
                                    const std::string& tls_folder = {});
  KafkaCluster(KafkaCluster&&) = default;
  KafkaCluster& operator=(KafkaCluster&&) = default;
  ~KafkaCluster();

  [[nodiscard]] const std::string& bootstrap_servers() const { return bootstrap_; }
  // Of the listeners SSL; empty without them.
  [[nodiscard]] const std::string& tls_bootstrap_servers() const { return tls_bootstrap_; }
  // SIGKILL, orderly stop, start again; `node` counts from 0.
  Status kill(int node) { return command("kill", node); }
  Status stop(int node) { return command("stop", node); }
  Status restart(int node) { return command("restart", node); }

  // Runs one of Kafka's own tools, or a source file of this repository, with Kafka's jars:
  // tool("org.apache.kafka.tools.ConsoleProducer", {...}), tool("src/streams/testdata/CountingApp.java", {...}).
  static ChildOptions tool(const std::string& program, const std::vector<std::string>& arguments);

 private:
  KafkaCluster(ChildProcess process, std::string bootstrap, std::string tls_bootstrap)
      : process_(std::move(process)), bootstrap_(std::move(bootstrap)), tls_bootstrap_(std::move(tls_bootstrap)) {}
  Status command(const char* verb, int node);

  ChildProcess process_;
  std::string bootstrap_;
  std::string tls_bootstrap_;
};

}  // namespace muir::testing

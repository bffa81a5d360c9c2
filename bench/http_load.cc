// http_load: how many requests a second an HTTP server answers.
//
//   http_load --url http://127.0.0.1:8081/schemas/ids/1 [--body FILE] [--connections N] [--seconds S]
//
// Each connection has one request at a time on its way; a body makes it a POST of JSON. Prints requests per second and
// percentiles of the time from a request to its answer; fails when one is answered with anything but 200.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "net/http_client.h"
#include "net/url.h"

namespace muir {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Options {
  std::string url;
  std::string body_file;
  int connections = 4;
  double seconds = 5;
};

struct Load {
  net::Url url;
  Bytes body;
  std::atomic<bool> stop{false};
  std::atomic<int64_t> failed{0};
};

std::vector<double> ask(Load& load) {
  std::vector<double> took_us;
  const auto client = net::HttpClient::create("http://" + net::authority_of(load.url));
  while (client.ok() && !load.stop) {
    const auto began = SteadyClock::now();
    const auto answer = (*client)->request(load.body.empty() ? "GET" : "POST", load.url.target, load.body,
                                           {{"Content-Type", "application/json"}});
    if (!answer.ok() || answer->status != 200) ++load.failed;
    took_us.push_back(std::chrono::duration<double, std::micro>(SteadyClock::now() - began).count());
  }
  return took_us;
}

int run(const Options& options) {
  Load load;
  const auto url = net::parse_url(options.url, "http://", 80);
  if (!url.ok()) return fmt::print(stderr, "{}\n", url.status().to_string()), 2;
  load.url = *url;
  if (!options.body_file.empty()) {
    auto body = system_env().read_file(options.body_file);
    if (!body.ok()) return fmt::print(stderr, "{}\n", body.status().to_string()), 2;
    load.body = std::move(*body);
  }
  std::vector<std::vector<double>> each(static_cast<size_t>(options.connections));
  std::vector<std::thread> threads;
  for (auto& mine : each) threads.emplace_back([&load, &mine] { mine = ask(load); });
  std::this_thread::sleep_for(std::chrono::duration<double>(options.seconds));
  load.stop = true;
  for (auto& thread : threads) thread.join();
  std::vector<double> all;
  for (const auto& mine : each) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  if (all.empty()) return 1;
  fmt::print("{:.0f} requests/s, p50 {:.0f} us, p99 {:.0f} us, {} not answered with 200\n",
             static_cast<double>(all.size()) / options.seconds, all[all.size() / 2], all[all.size() * 99 / 100],
             load.failed.load());
  return load.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace muir

int main(int argc, char** argv) {
  muir::Options options;
  CLI::App app("Requests per second of an HTTP server");
  app.add_option("--url", options.url, "what is asked for")->required();
  app.add_option("--body", options.body_file, "a file with JSON, which is posted");
  app.add_option("--connections", options.connections);
  app.add_option("--seconds", options.seconds);
  CLI11_PARSE(app, argc, argv);
  return muir::run(options);
}

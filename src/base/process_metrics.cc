#include "base/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "base/bytes.h"

namespace muir {
namespace {

std::string contents(const char* path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path, "r"),
                                                   [](FILE* f) { return f == nullptr ? 0 : std::fclose(f); });
  std::string out;
  char piece[4096];
  while (file) {
    const size_t n = std::fread(piece, 1, sizeof piece, file.get());
    if (n == 0) break;
    out.append(piece, n);
  }
  return out;
}

// proc(5): of /proc/self/stat, counted from 1. The name, in brackets, may hold anything; the third follows the last
// bracket.
struct ProcessStat {
  double user_ticks = 0;      // 14
  double system_ticks = 0;    // 15
  double threads = 0;         // 20
  double start_ticks = 0;     // 22: after the start of the system
  double virtual_bytes = 0;   // 23
  double resident_pages = 0;  // 24
};

std::optional<ProcessStat> read_stat() {
  const std::string text = contents("/proc/self/stat");
  const size_t bracket = text.rfind(')');
  if (bracket == std::string::npos) return std::nullopt;
  ProcessStat out;
  const char* at = text.c_str() + bracket + 1;
  for (int field = 3; field <= 24 && *at != '\0'; ++field) {
    at += std::strspn(at, " ");
    const double value = std::strtod(at, nullptr);
    if (field == 14) out.user_ticks = value;
    if (field == 15) out.system_ticks = value;
    if (field == 20) out.threads = value;
    if (field == 22) out.start_ticks = value;
    if (field == 23) out.virtual_bytes = value;
    if (field == 24) out.resident_pages = value;
    at += std::strcspn(at, " ");
  }
  return out;
}

double system_start_seconds() {
  const std::string text = contents("/proc/stat");
  const size_t at = text.find("\nbtime ");
  return at == std::string::npos ? 0 : std::strtod(text.c_str() + at + 7, nullptr);
}

std::optional<double> open_files() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"),
                                                   [](DIR* d) { return d == nullptr ? 0 : ::closedir(d); });
  if (!folder) return std::nullopt;
  double count = -1;  // the folder's own
  while (const dirent* entry = ::readdir(folder.get())) count += entry->d_name[0] == '.' ? 0 : 1;
  return count;
}

void collect(MetricSink& sink) {
  if (const auto stat = read_stat()) {
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
    sink.counter("process_cpu_seconds_total", "CPU time of the process, user and system.", {},
                 (stat->user_ticks + stat->system_ticks) / ticks);
    sink.gauge("process_resident_memory_bytes", "Memory of the process that is in RAM.", {},
               stat->resident_pages * page);
    sink.gauge("process_virtual_memory_bytes", "Address space of the process.", {}, stat->virtual_bytes);
    sink.gauge("process_threads", "Threads of the process.", {}, stat->threads);
    if (const double began = system_start_seconds(); began > 0)
      sink.gauge("process_start_time_seconds", "When the process began, since the Unix epoch.", {},
                 began + stat->start_ticks / ticks);
  }
  if (const auto files = open_files()) sink.gauge("process_open_fds", "Open files and sockets.", {}, *files);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    sink.gauge("process_max_fds", "Most files and sockets that may be open.", {}, static_cast<double>(limit.rlim_cur));
}

}  // namespace

std::unique_ptr<MetricsGroup> process_metrics(MetricsRegistry& registry, const std::string& version) {
  auto out = std::make_unique<MetricsGroup>(&registry);
  out->gauge("muir_build_info", "Always 1; its labels say what runs.", {{"version", version}}).set(1);
  out->collect(collect);
  return out;
}

}  // namespace muir

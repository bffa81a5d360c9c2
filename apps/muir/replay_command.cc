#include "apps/muir/replay_command.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "apps/muir/say.h"
#include "apps/vts/timestamps.h"

namespace muir::app {
namespace {

constexpr int kProgressMs = 1000;

}  // namespace

Status run_replay(const std::string& path, const vts::ReplayOptions& options, Output output, const StopSignal& stop) {
  stop.started();
  vts::Replay replay(path, options, system_clock());
  const int64_t began = system_clock().steady_ms();
  int done[2];
  if (::pipe2(done, O_CLOEXEC) != 0) return error(Code::resource_exhausted, "no pipe");
  Status result;
  std::thread runner([&] {
    result = replay.run();
    ::close(done[1]);  // wakes the poll below
  });
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  bool asked = false;
  for (;;) {
    pollfd waiting[2] = {{done[0], POLLIN, 0}, {asked ? -1 : stop.fd(), POLLIN, 0}};
    ::poll(waiting, 2, kProgressMs);
    if (waiting[0].revents != 0) break;
    if (waiting[1].revents != 0) {
      asked = true;
      replay.stop();
    }
    if (terminal) {
      const auto progress = replay.progress();
      complain("\r{} positions acknowledged, {} rejected, recording at {}  ", progress.sent, progress.rejected,
               vts::format_timestamp(progress.recorded_ms));
    }
  }
  runner.join();
  ::close(done[0]);
  if (terminal) write_err("\n");
  const auto progress = replay.progress();
  if (!result.ok() && progress.sent == 0) return result;  // it did not begin
  const auto seconds = static_cast<double>(system_clock().steady_ms() - began) / 1000;
  const Status printed = answer(
      output == Output::json
          ? fmt::format("{{\"acknowledged\":{},\"rejected\":{},\"refused\":{},\"seconds\":{:.3f},\"complete\":{}}}\n",
                        progress.sent, progress.rejected, progress.refused, seconds, result.ok() && !asked)
          : fmt::format(
                "{} positions acknowledged in {:.1f} s ({:.0f}/s), of these {} rejected by a rule; {} refused\n",
                progress.sent, seconds, static_cast<double>(progress.sent) / std::max(seconds, 0.001),
                progress.rejected, progress.refused));
  MUIR_RETURN_IF_ERROR(result);
  return printed;
}

}  // namespace muir::app

#include "apps/muir/instance_id.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace muir::app {
namespace {

constexpr size_t kBytesMax = 200;  // of a Kafka resource name there may be 249, and threads add their number

bool fit(std::string_view id) {
  return !id.empty() && id.size() <= kBytesMax && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

}  // namespace

Result<std::string> instance_id(const std::string& data_dir, Env& env) {
  const std::string path = data_dir + "/instance-id";
  if (env.exists(path)) {
    std::string id = MUIR_TRY(env.read_file(path));
    while (!id.empty() && (id.back() == '\n' || id.back() == '\r' || id.back() == ' ')) id.pop_back();
    if (fit(id)) return id;
    return error(Code::invalid_argument,
                 "{}: not a name of letters, digits and -_. (remove the file, and the instance takes a new one)", path);
  }
  std::random_device random;
  std::string id = fmt::format("muir-{:08x}{:08x}", random(), random());
  MUIR_RETURN_IF_ERROR(env.make_folders(data_dir));
  MUIR_RETURN_IF_ERROR(env.replace_file(path, id + "\n"));
  return id;
}

}  // namespace muir::app

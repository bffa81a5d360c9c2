#include "net/rest_auth.h"

#include <openssl/evp.h>

#include <algorithm>

#include "base/utf8.h"

namespace muir::net {
namespace {

// Of the credentials of a header: as long as anybody's could be.
constexpr size_t kCredentialsMax = 4096;

struct Credentials {
  std::string user;
  std::string password;
};

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > kCredentialsMax) return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const auto is_digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  if (!std::all_of(text.begin(), text.end() - static_cast<std::ptrdiff_t>(padding), is_digit)) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (n < 0) return std::nullopt;
  out.resize(static_cast<size_t>(n) - padding);
  return out;
}

// "Basic dXNlcjpwYXNz"
std::optional<Credentials> credentials_of(std::string_view header) {
  constexpr std::string_view kScheme = "basic ";
  const bool is_basic = header.size() > kScheme.size() &&
                        std::equal(kScheme.begin(), kScheme.end(), header.begin(),
                                   [](char wanted, char c) { return wanted == (c == ' ' ? c : (c | 0x20)); });
  if (!is_basic) return std::nullopt;
  header.remove_prefix(std::min(header.find_first_not_of(' ', kScheme.size()), header.size()));
  const auto decoded = base64_decode(header);
  if (!decoded || !is_utf8(*decoded) || has_control_character(*decoded)) return std::nullopt;
  const size_t colon = decoded->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return Credentials{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

}  // namespace

std::function<std::variant<Principal, RestError>(const HttpRequest&)> basic_authentication(std::string realm,
                                                                                           CheckPassword check) {
  std::string challenge = "Basic realm=\"";
  for (const char c : realm) {
    if (c == '"' || c == '\\') challenge += '\\';
    challenge += c;
  }
  challenge += "\", charset=\"UTF-8\"";
  return [challenge, check = std::move(check)](const HttpRequest& request) -> std::variant<Principal, RestError> {
    if (const auto said = credentials_of(request.header("authorization"))) {
      if (auto principal = check(said->user, said->password)) return *std::move(principal);
    }
    return RestError{.status = 401,
                     .message = "user and password are needed, and have to be right",
                     .code = "unauthorized",
                     .headers = {{"WWW-Authenticate", challenge}}};
  };
}

int fuzz_basic_authentication(BytesView input) { return credentials_of(input) ? 1 : 0; }

}  // namespace muir::net

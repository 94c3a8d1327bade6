#include "net/tls/tls_files.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rollcall::net {
namespace {

constexpr size_t kFileBytesMax = 1 << 20;

absl::StatusOr<std::string> ReadIfNamed(const std::string& path) {
  if (path.empty()) return std::string();
  return ReadSmallFile(path);
}

absl::Status InFiles(const absl::Status& status, std::initializer_list<absl::string_view> paths) {
  std::string names;
  for (const absl::string_view path : paths) {
    if (!path.empty()) absl::StrAppend(&names, names.empty() ? "" : ", ", path);
  }
  return absl::Status(status.code(), absl::StrCat("in ", names, ": ", status.message()));
}

}  // namespace

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  char buffer[4096];
  while (file.read(buffer, sizeof(buffer)) || file.gcount() > 0) {
    text.append(buffer, static_cast<size_t>(file.gcount()));
    if (text.size() > kFileBytesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, " has more than ", kFileBytesMax, " bytes"));
    }
  }
  if (file.eof() && !file.bad()) return text;
  return absl::InvalidArgumentError(absl::StrCat(
      "cannot read ", path, ": ", errno == 0 ? "it is no file" : std::strerror(errno)));
}

absl::StatusOr<std::shared_ptr<const TlsContext>> LoadTlsContext(const TlsServerFiles& files) {
  absl::StatusOr<std::string> chain = ReadSmallFile(files.certificate_chain);
  if (!chain.ok()) return chain.status();
  absl::StatusOr<std::string> key = ReadSmallFile(files.private_key);
  if (!key.ok()) return key.status();
  absl::StatusOr<std::string> client_ca = ReadIfNamed(files.client_ca);
  if (!client_ca.ok()) return client_ca.status();
  if (client_ca->empty() && !files.client_ca.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(files.client_ca, " is empty"));
  }
  absl::StatusOr<std::shared_ptr<const TlsContext>> context =
      TlsContext::ForServer({.certificate_chain = *std::move(chain),
                             .private_key = *std::move(key),
                             .client_ca = *std::move(client_ca),
                             .min_version = files.min_version});
  if (context.ok()) return context;
  return InFiles(context.status(), {files.certificate_chain, files.private_key, files.client_ca});
}

absl::StatusOr<std::shared_ptr<const TlsContext>> LoadTlsContext(const TlsClientFiles& files) {
  absl::StatusOr<std::string> ca = ReadIfNamed(files.ca);
  if (!ca.ok()) return ca.status();
  if (ca->empty() && !files.ca.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(files.ca, " is empty"));
  }
  absl::StatusOr<std::string> chain = ReadIfNamed(files.certificate_chain);
  if (!chain.ok()) return chain.status();
  absl::StatusOr<std::string> key = ReadIfNamed(files.private_key);
  if (!key.ok()) return key.status();
  absl::StatusOr<std::shared_ptr<const TlsContext>> context =
      TlsContext::ForClient({.ca = *std::move(ca),
                             .certificate_chain = *std::move(chain),
                             .private_key = *std::move(key),
                             .min_version = files.min_version});
  if (context.ok()) return context;
  return InFiles(context.status(), {files.ca, files.certificate_chain, files.private_key});
}

}  // namespace rollcall::net

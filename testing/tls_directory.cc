#include "testing/tls_directory.h"

#include <filesystem>
#include <fstream>

#include "glog/logging.h"

namespace rollcall {

TlsDirectory::TlsDirectory(absl::Time now) : authority_(now) {
  Write("ca.pem", authority_.certificate());
  ReplaceServer(authority_.Issue());
}

std::string TlsDirectory::Write(const std::string& name, absl::string_view text) {
  const std::string path = Path(name);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  CHECK(file) << "cannot write " << path;
  std::filesystem::permissions(
      path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  return path;
}

net::TlsServerFiles TlsDirectory::Server(bool mutual) {
  return {.certificate_chain = Path("server.pem"),
          .private_key = Path("server.key"),
          .client_ca = mutual ? Path("ca.pem") : ""};
}

void TlsDirectory::ReplaceServer(const TlsIdentity& identity) {
  Write("server.pem", identity.certificate);
  Write("server.key", identity.private_key);
}

net::TlsClientFiles TlsDirectory::Client(bool known) {
  if (known) return Client(authority_.Issue());
  return {.ca = Path("ca.pem")};
}

net::TlsClientFiles TlsDirectory::Client(const TlsIdentity& identity) {
  return {.ca = Path("ca.pem"),
          .certificate_chain = Write("client.pem", identity.certificate),
          .private_key = Write("client.key", identity.private_key)};
}

}  // namespace rollcall

#include "store/server/server_security.h"

#include <sys/stat.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "store/token_file.h"

namespace rollcall {
namespace {

constexpr absl::Duration kWarnBeforeEnd = absl::Hours(7 * 24);

void WarnOfEnd(const std::string& path, absl::Time ends, absl::Time now) {
  if (ends > now + kWarnBeforeEnd) return;
  LOG(WARNING) << "the certificate in " << path << (ends <= now ? " ended at " : " ends at ")
               << absl::FormatTime(ends, absl::UTCTimeZone())
               << ": put another one in its place and have it read anew (SIGHUP)";
}

void WarnOfReaders(const std::string& path) {
  struct stat file = {};
  if (stat(path.c_str(), &file) != 0 || (file.st_mode & (S_IRWXG | S_IRWXO)) == 0) return;
  LOG(WARNING) << "others than its owner may read the tokens in " << path << ": chmod 600 it";
}

}  // namespace

ServerSecurity::ServerSecurity(net::Env& env, const ServerOptions& options)
    : env_(env),
      files_(options.tls),
      token_file_(options.token_file),
      owned_monitor_(env.NewMonitor()),
      monitor_(owned_monitor_.get()) {}

absl::StatusOr<std::unique_ptr<ServerSecurity>> ServerSecurity::Load(net::Env& env,
                                                                     const ServerOptions& options) {
  std::unique_ptr<ServerSecurity> security(new ServerSecurity(env, options));
  if (absl::Status loaded = security->Reload(); !loaded.ok()) return loaded;
  if (!options.token_file.empty() && !options.HasTls()) {
    LOG(WARNING) << "tokens travel in clear, for want of TLS: whoever can listen to the network "
                    "can use them";
  }
  return security;
}

absl::Status ServerSecurity::Reload() {
  std::shared_ptr<const net::TlsContext> tls;
  if (!files_.certificate_chain.empty()) {
    absl::StatusOr<std::shared_ptr<const net::TlsContext>> loaded = net::LoadTlsContext(files_);
    if (!loaded.ok()) return loaded.status();
    tls = *std::move(loaded);
    WarnOfEnd(files_.certificate_chain, tls->expires(), env_.Now());
  }
  std::shared_ptr<const TokenTable> tokens;
  if (!token_file_.empty()) {
    absl::StatusOr<std::vector<NamedToken>> read = ReadTokenFile(token_file_);
    if (!read.ok()) return read.status();
    WarnOfReaders(token_file_);
    tokens = std::make_shared<const TokenTable>(*std::move(read));
  }
  net::MonitorLock lock(monitor_);
  tls_ = std::move(tls);
  tokens_ = std::move(tokens);
  return absl::OkStatus();
}

std::shared_ptr<const net::TlsContext> ServerSecurity::tls() const {
  net::MonitorLock lock(monitor_);
  return tls_;
}

std::shared_ptr<const TokenTable> ServerSecurity::tokens() const {
  net::MonitorLock lock(monitor_);
  return tokens_;
}

}  // namespace rollcall

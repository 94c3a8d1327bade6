#include "store/http/microhttpd.h"

#ifdef MICROHTTPD_SONAME
#include <dlfcn.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#endif

namespace rollcall::http {
namespace {

// The name of the shared library to load, where third_party/system_repository.bzl found one; a
// user's own libmicrohttpd is linked as any library.
#ifdef MICROHTTPD_SONAME
template <typename Function>
bool Find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

absl::StatusOr<const MicroHttpd*> Load() {
  void* const library = dlopen(MICROHTTPD_SONAME, RTLD_NOW | RTLD_LOCAL);
  auto* const found = new MicroHttpd;
  if (library != nullptr && Find(library, "MHD_start_daemon", found->start_daemon) &&
      Find(library, "MHD_stop_daemon", found->stop_daemon) &&
      Find(library, "MHD_lookup_connection_value", found->lookup_connection_value) &&
      Find(library, "MHD_create_response_from_buffer", found->create_response_from_buffer) &&
      Find(library, "MHD_add_response_header", found->add_response_header) &&
      Find(library, "MHD_queue_response", found->queue_response) &&
      Find(library, "MHD_destroy_response", found->destroy_response)) {
    return found;
  }
  delete found;
  const char* const error = dlerror();
  return absl::NotFoundError(absl::StrCat("no HTTP without libmicrohttpd, which cannot be loaded: ",
                                          error == nullptr ? MICROHTTPD_SONAME : error,
                                          "; on Debian: ", "apt-get install libmicrohttpd12"));
}

#else
absl::StatusOr<const MicroHttpd*> Load() {
  return new MicroHttpd{.start_daemon = &MHD_start_daemon,
                        .stop_daemon = &MHD_stop_daemon,
                        .lookup_connection_value = &MHD_lookup_connection_value,
                        .create_response_from_buffer = &MHD_create_response_from_buffer,
                        .add_response_header = &MHD_add_response_header,
                        .queue_response = &MHD_queue_response,
                        .destroy_response = &MHD_destroy_response};
}

#endif

}  // namespace

absl::StatusOr<const MicroHttpd*> LoadMicroHttpd() {
  static const auto* const loaded = new absl::StatusOr<const MicroHttpd*>(Load());
  return *loaded;
}

}  // namespace rollcall::http

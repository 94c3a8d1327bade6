// libmicrohttpd, looked up when the first server wants it where it is a shared library: Debian's
// brings GnuTLS along, and with that 2.4 MB of memory to a process that serves no HTTP.
#ifndef ROLLCALL_STORE_HTTP_MICROHTTPD_H_
#define ROLLCALL_STORE_HTTP_MICROHTTPD_H_

#include <microhttpd.h>

#include "absl/status/statusor.h"

namespace rollcall::http {

// What is used of it; the members are its functions of these names.
struct MicroHttpd {
  decltype(&MHD_start_daemon) start_daemon = nullptr;
  decltype(&MHD_stop_daemon) stop_daemon = nullptr;
  decltype(&MHD_lookup_connection_value) lookup_connection_value = nullptr;
  decltype(&MHD_create_response_from_buffer) create_response_from_buffer = nullptr;
  decltype(&MHD_add_response_header) add_response_header = nullptr;
  decltype(&MHD_queue_response) queue_response = nullptr;
  decltype(&MHD_destroy_response) destroy_response = nullptr;
};

// Never unloaded. NotFound if the library is not on this machine, with the package to install. From
// any thread.
absl::StatusOr<const MicroHttpd*> LoadMicroHttpd();

}  // namespace rollcall::http

#endif  // ROLLCALL_STORE_HTTP_MICROHTTPD_H_

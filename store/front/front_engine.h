// A server's engine that keeps nothing: all that clients store is in etcd, and any number of such
// servers, fronts, serve it.
#ifndef ROLLCALL_STORE_FRONT_FRONT_ENGINE_H_
#define ROLLCALL_STORE_FRONT_FRONT_ENGINE_H_

#include "store/front/front_options.h"
#include "store/server/server_engine.h"

namespace rollcall {

// What clients store under one prefix is one store, by whatever front they come, or as EtcdStores:
// see docs/etcd.md. The factory joins the job's lease, or makes one, and fails if etcd does not
// answer in options.etcd.timeout; InvalidArgument for impossible options.
//
// Each client's requests are done one after the other, those of different clients side by side; a
// wait holds up nobody. What etcd does not do in options.patience ends that client's connection
// (ENGINE_FAILED, with the code of etcd_failure.h), since the protocol has no errors. So does the
// end of the job's lease for all its clients; the next one begins a new job under the same prefix.
//
// Only for an Env of the real world: gRPC has threads and sockets of its own.
ServerEngineFactory NewFrontEngine(FrontOptions options);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_FRONT_FRONT_ENGINE_H_

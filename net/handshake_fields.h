// The field tables of the handshake, like those of net/message_fields.h.

#ifndef NORN_NET_HANDSHAKE_FIELDS_H_
#define NORN_NET_HANDSHAKE_FIELDS_H_

#include "core/config.h"
#include "net/handshake.h"
#include "net/proto_writer.h"

namespace norn::net {

template <typename V, Is<BucketConfig> M>
void Fields(V& v, M& m) {
  auto& [id, name, n, r, w, r_min, w_min, sloppy, conflicts, plain_get, ttl_us, key_bytes_max,
         value_bytes_max, siblings_max, prune_entries_above] = m;
  v.Int(1, "id", id);
  v.Bytes(2, "name", name);
  v.Int(3, "n", n);
  v.Int(4, "r", r);
  v.Int(5, "w", w);
  v.Int(6, "r_min", r_min);
  v.Int(7, "w_min", w_min);
  v.Bool(8, "sloppy", sloppy);
  v.Enum(9, "conflicts", conflicts, ConflictPolicy::kLww);
  v.Enum(10, "plain_get", plain_get, PlainGet::kError);
  v.Int(11, "ttl_us", ttl_us);
  v.Int(12, "key_bytes_max", key_bytes_max);
  v.Int(13, "value_bytes_max", value_bytes_max);
  v.Int(14, "siblings_max", siblings_max);
  v.Int(15, "prune_entries_above", prune_entries_above);
}

template <typename V, Is<Hello> M>
void Fields(V& v, M& m) {
  auto& [version_min, version_max, cluster, node, to, generation, instance, fingerprint, buckets] =
      m;
  v.Int(1, "version_min", version_min);
  v.Int(2, "version_max", version_max);
  v.Bytes(3, "cluster", cluster);
  v.Node(4, "node", node);
  v.Node(5, "to", to);
  v.Int(6, "generation", generation);
  v.Fixed64(7, "instance", instance);
  v.Fixed64(8, "fingerprint", fingerprint);
  v.Repeated(30, "buckets", buckets);
}

template <typename V, Is<HelloReply> M>
void Fields(V& v, M& m) {
  auto& [verdict, text, version, cluster, node, generation, fingerprint] = m;
  v.Enum(1, "verdict", verdict, Verdict::kMalformed);
  v.Bytes(2, "text", text);
  v.Int(3, "version", version);
  v.Bytes(4, "cluster", cluster);
  v.Node(5, "node", node);
  v.Int(6, "generation", generation);
  v.Fixed64(7, "fingerprint", fingerprint);
}

}  // namespace norn::net

#endif  // NORN_NET_HANDSHAKE_FIELDS_H_

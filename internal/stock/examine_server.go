package stock

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/diagnosis"
)

// ExamineServers looks at every Redis server that takes writes, and changes nothing. The processes may open conns connections to
// each. It reports false where not all of them could be asked.
func ExamineServers(ctx context.Context, client redis.UniversalClient, conns int) (d diagnosis.Diagnosis, usable bool) {
	if err := client.Ping(ctx).Err(); err != nil {
		d.Fault("redis.reachable", unreachableMend, "Redis does not answer: %v", err)
		return d, false
	}
	var mu sync.Mutex
	found := map[string]diagnosis.Diagnosis{}
	err := eachMaster(ctx, client, func(ctx context.Context, node *redis.Client) error {
		one, err := examineServer(ctx, node, conns)
		if err != nil {
			err = fmt.Errorf("%s: %w", node.Options().Addr, err)
		}
		mu.Lock() // a cluster's are asked at the same time
		defer mu.Unlock()
		found[node.Options().Addr] = one
		return err
	})
	for _, addr := range slices.Sorted(maps.Keys(found)) {
		for _, f := range found[addr] {
			f.Detail = addr + ": " + f.Detail
			d = append(d, f)
		}
	}
	if err == nil {
		err = examineCluster(ctx, &d, client)
	}
	if err != nil {
		d.Fault("redis.reachable", unreachableMend, "not all of Redis answers: %v", err)
	}
	return d, err == nil
}

const unreachableMend = "start it, or set NETICKET_REDIS_ADDRS, NETICKET_REDIS_PASSWORD and NETICKET_REDIS_TLS as they must be; several addresses mean a cluster"

func examineCluster(ctx context.Context, d *diagnosis.Diagnosis, client redis.UniversalClient) error {
	_, single := client.(*redis.Client)
	text, err := client.ClusterInfo(ctx).Result()
	switch state := fieldsOf(text); {
	case single && (err != nil || state["cluster_known_nodes"] == "1"): // it knows of no cluster
	case single:
		d.Fault("redis.cluster", "name several of its servers in NETICKET_REDIS_ADDRS", "the server belongs to a cluster, and only one address is given")
	case err != nil:
		return fmt.Errorf("read CLUSTER INFO: %w", err)
	case state["cluster_state"] != "ok":
		d.Fault("redis.cluster", "see `redis-cli --cluster check`", "the cluster's state is %q", state["cluster_state"])
	case state["cluster_slots_pfail"] != "0" || state["cluster_slots_fail"] != "0":
		d.Warn("redis.cluster", "see `redis-cli --cluster check`", "the masters of some slots are failing")
	default:
		d.OK("redis.cluster", "the cluster has %s masters", state["cluster_size"])
	}
	return nil
}

// examineServer looks at one server.
func examineServer(ctx context.Context, node *redis.Client, conns int) (d diagnosis.Diagnosis, err error) {
	server, err := info(ctx, node, "default")
	if err != nil {
		return nil, err
	}
	examineRole(&d, server)
	if err := evictionFault(server); err != nil {
		d.Fault("redis.eviction", "CONFIG SET maxmemory-policy noeviction, and the same in its file", "%v", err)
	} else {
		d.OK("redis.eviction", "keys are never evicted")
	}
	examineAOF(&d, server, setting(ctx, node, "appendfsync"))
	examineMemory(&d, server)
	examineClients(&d, server, conns)
	examineReplicas(&d, server, setting(ctx, node, "min-replicas-to-write"))
	return d, nil
}

// setting returns a setting of the server, or "" where the server does not tell: managed ones do not.
func setting(ctx context.Context, node *redis.Client, name string) string {
	return node.ConfigGet(ctx, name).Val()[name]
}

func examineRole(d *diagnosis.Diagnosis, server map[string]string) {
	version := server["redis_version"]
	switch major, _, _ := strings.Cut(version, "."); {
	case parseInt(major) < 7:
		d.Fault("redis.version", "update the server", "it is Redis %s, and must be 7.0 or newer", version)
	default:
		d.OK("redis.version", "Redis %s", version)
	}
	switch {
	case server["role"] != "master":
		d.Fault("redis.role", "let NETICKET_REDIS_ADDRS lead to the master", "it is a replica of %s:%s and takes no writes", server["master_host"], server["master_port"])
	case server["loading"] != "0":
		d.Fault("redis.role", "wait", "it is loading its data")
	default:
		d.OK("redis.role", "it is a master")
	}
}

func examineAOF(d *diagnosis.Diagnosis, server map[string]string, fsync string) {
	const full = "see whether its disk is full, and its log"
	switch err := aofFault(server); {
	case err != nil:
		d.Fault("redis.aof", "CONFIG SET appendonly yes, and the same in its file", "%v", err)
	case server["aof_last_write_status"] != "ok":
		d.Fault("redis.aof", full, "the last write to the append-only file failed: bookings are refused")
	case server["aof_last_bgrewrite_status"] != "ok":
		d.Warn("redis.aof", full, "the append-only file could not be rewritten, and grows")
	case fsync == "no":
		d.Warn("redis.aof", "CONFIG SET appendfsync everysec, or always", "appendfsync is no: when the machine crashes, half a minute of pending bookings may be lost")
	case fsync == "everysec":
		d.OK("redis.aof", "appendfsync is everysec: when the machine crashes, about a second of pending bookings is lost, never a confirmed one")
	case fsync == "":
		d.OK("redis.aof", "the append-only file is on; the server does not tell its appendfsync")
	default:
		d.OK("redis.aof", "appendfsync is %s", fsync)
	}
	if server["rdb_last_bgsave_status"] != "ok" {
		d.Fault("redis.snapshots", full+"; or turn snapshots off: CONFIG SET save \"\"", "the last snapshot failed: unless stop-writes-on-bgsave-error is no, bookings are refused")
	}
}

func examineMemory(d *diagnosis.Diagnosis, server map[string]string) {
	used, most, of := parseInt(server["used_memory"]), parseInt(server["maxmemory"]), "maxmemory"
	if most == 0 {
		most, of = parseInt(server["total_system_memory"]), "the machine's memory"
	}
	const mend = "give it more memory; lower NETICKET_REMEMBER if request keys take most of it"
	const mib = 1 << 20
	switch share := used * 100 / max(most, 1); {
	case share >= 90:
		d.Fault("redis.memory", mend, "it uses %d%% of %s (%d of %d MiB); when that is full, bookings are refused", share, of, used/mib, most/mib)
	case share >= 75:
		d.Warn("redis.memory", mend, "it uses %d%% of %s (%d of %d MiB)", share, of, used/mib, most/mib)
	default:
		d.OK("redis.memory", "it uses %d%% of %s (%d of %d MiB)", share, of, used/mib, most/mib)
	}
}

func examineClients(d *diagnosis.Diagnosis, server map[string]string, conns int) {
	now, most := parseInt(server["connected_clients"]), parseInt(server["maxclients"])
	const mend = "raise maxclients, or lower NETICKET_REDIS_CONNS"
	switch {
	case most == 0:
		d.OK("redis.clients", "%d connections are in use; the server does not tell its maxclients", now)
	case now > most*9/10:
		d.Fault("redis.clients", mend, "%d of %d connections are in use", now, most)
	case int64(conns) > most:
		d.Warn("redis.clients", mend, "maxclients is %d, and the pools of all processes may grow to %d", most, conns)
	default:
		d.OK("redis.clients", "%d of %d connections are in use; the pools may grow to %d", now, most, conns)
	}
}

// examineReplicas looks at what follows a master; there may be nothing.
func examineReplicas(d *diagnosis.Diagnosis, server map[string]string, needed string) {
	const late = 10 // s without a word of a replica
	var failing []string
	good := int64(0)
	for i := range parseInt(server["connected_slaves"]) {
		replica := map[string]string{}
		for pair := range strings.SplitSeq(server["slave"+strconv.FormatInt(i, 10)], ",") {
			name, value, _ := strings.Cut(pair, "=")
			replica[name] = value
		}
		if replica["state"] == "online" && parseInt(replica["lag"]) < late {
			good++
		} else {
			failing = append(failing, fmt.Sprintf("%s:%s (%s, %s s behind)", replica["ip"], replica["port"], replica["state"], replica["lag"]))
		}
	}
	const mend = "see the replicas' logs and the network between"
	switch {
	case good < parseInt(needed):
		d.Fault("redis.replicas", mend, "%d replicas follow it, and min-replicas-to-write is %s: bookings are refused", good, needed)
	case len(failing) > 0:
		d.Warn("redis.replicas", mend, "replicas do not follow: %s", strings.Join(failing, ", "))
	case good == 0:
		d.OK("redis.replicas", "no replica follows it: nothing can take its place")
	default:
		d.OK("redis.replicas", "%d replicas follow it; what one lacks at a fail-over is lost, of pending bookings alone", good)
	}
}

// ServerTimes calls each with every server that takes writes and the call that asks for its time.
func ServerTimes(ctx context.Context, client redis.UniversalClient, each func(addr string, now func() (time.Time, error))) error {
	var mu sync.Mutex
	return eachMaster(ctx, client, func(ctx context.Context, node *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		each(node.Options().Addr, func() (time.Time, error) { return node.Time(ctx).Result() })
		return nil
	})
}

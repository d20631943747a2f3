package database

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/neticket/neticket/internal/diagnosis"
)

const (
	// driverPacket is the largest statement that Open lets the driver send, and neededPacket about twice the largest that the product
	// makes.
	driverPacket = 16 << 20
	neededPacket = 4 << 20
)

// Examine looks at the server and its schema, and changes nothing. The processes may open conns connections together. It reports
// false where the server could not be asked or has no schema of ours, so that there is no use in asking for more.
func Examine(ctx context.Context, db *sql.DB, conns int) (d diagnosis.Diagnosis, usable bool) {
	ping, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := db.PingContext(ping); err != nil {
		d.Fault("mysql.reachable", "start it, or set NETICKET_MYSQL_DSN to where it is and who may log in", "MySQL does not answer: %v", err)
		return d, false
	}
	settings, err := serverSettings(ctx, db)
	if err != nil {
		d.Fault("mysql.reachable", "see MySQL's log", "MySQL answers, but not all: %v", err)
		return d, false
	}
	examineVersion(&d, settings["version"])
	examineReadOnly(&d, settings)
	examineDurability(&d, settings)
	examinePacket(&d, settings)
	examineConnections(&d, settings, conns)
	if usable, err = examineSchema(ctx, &d, db); err != nil {
		d.Fault("mysql.schema", "see MySQL's log, and whether the user may read the database", "the schema cannot be read: %v", err)
		return d, false
	}
	return d, usable
}

// serverSettings returns the variables and figures that Examine goes by, as far as the server has them, in lower case.
func serverSettings(ctx context.Context, db *sql.DB) (map[string]string, error) {
	settings := map[string]string{}
	for _, query := range []string{
		`SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'read_only', 'super_read_only', 'innodb_read_only', 'innodb_force_recovery',
			'innodb_flush_log_at_trx_commit', 'log_bin', 'sync_binlog', 'max_allowed_packet', 'max_connections')`,
		"SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_connected', 'Max_used_connections')",
	} {
		err := eachRow(ctx, db, query, func(name, value string) { settings[strings.ToLower(name)] = value })
		if err != nil {
			return nil, fmt.Errorf("read the server's settings: %w", err)
		}
	}
	return settings, nil
}

func eachRow(ctx context.Context, db *sql.DB, query string, each func(a, b string)) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		var a, b string
		if err := rows.Scan(&a, &b); err != nil {
			return err
		}
		each(a, b)
	}
	return rows.Err()
}

func examineVersion(d *diagnosis.Diagnosis, version string) {
	// The oldest that hold what the schema and the statements ask for: checks that are enforced, above all.
	kind, oldest := "MySQL", [3]int{8, 0, 16}
	if strings.Contains(version, "MariaDB") {
		kind, oldest = "MariaDB", [3]int{10, 6, 0}
	}
	var have [3]int
	_, _ = fmt.Sscanf(version, "%d.%d.%d", &have[0], &have[1], &have[2]) // of what is no version, zeros are left
	if slices.Compare(have[:], oldest[:]) < 0 {
		d.Fault("mysql.version", "update the server", "%s is %s, and must be %d.%d.%d or newer", kind, version, oldest[0], oldest[1], oldest[2])
		return
	}
	d.OK("mysql.version", "%s %s", kind, version)
}

func isSet(value string) bool { return value != "" && value != "0" && !strings.EqualFold(value, "OFF") }

func examineReadOnly(d *diagnosis.Diagnosis, settings map[string]string) {
	var set []string
	for _, name := range []string{"read_only", "super_read_only", "innodb_read_only", "innodb_force_recovery"} {
		if isSet(settings[name]) {
			set = append(set, name+"="+settings[name])
		}
	}
	if len(set) > 0 {
		d.Fault("mysql.read_only", "let NETICKET_MYSQL_DSN lead to the server that takes writes, or turn these settings off; bookings are accepted "+
			"until the backlog is full, and recorded afterwards", "MySQL is set to be read-only: %s", strings.Join(set, ", "))
		return
	}
	d.OK("mysql.read_only", "MySQL is set to take writes")
}

func examineDurability(d *diagnosis.Diagnosis, settings map[string]string) {
	const mend = "set innodb_flush_log_at_trx_commit=1, and with log_bin=ON sync_binlog=1"
	switch flush := settings["innodb_flush_log_at_trx_commit"]; {
	case flush == "2":
		d.Warn("mysql.durability", mend, "innodb_flush_log_at_trx_commit is 2: when the machine crashes, the last second of confirmed reservations is lost")
	case flush != "1":
		d.Fault("mysql.durability", mend, "innodb_flush_log_at_trx_commit is %s: when MySQL crashes, the last second of confirmed reservations is lost", flush)
	case isSet(settings["log_bin"]) && settings["sync_binlog"] != "1":
		d.Warn("mysql.durability", mend, "sync_binlog is %s: after a crash of the machine, replicas may have other reservations than MySQL", settings["sync_binlog"])
	default:
		d.OK("mysql.durability", "what is committed survives a crash")
	}
}

func examinePacket(d *diagnosis.Diagnosis, settings map[string]string) {
	packet := number(settings["max_allowed_packet"])
	const mend = "set max_allowed_packet=16M or more"
	switch {
	case packet < neededPacket:
		d.Fault("mysql.packet", mend, "max_allowed_packet is %d bytes: large batches are refused", packet)
	case packet < driverPacket:
		d.Warn("mysql.packet", mend, "max_allowed_packet is %d bytes, less than the %d that are counted on", packet, driverPacket)
	default:
		d.OK("mysql.packet", "max_allowed_packet is %d MiB", packet>>20)
	}
}

func examineConnections(d *diagnosis.Diagnosis, settings map[string]string, conns int) {
	most, now, peak := number(settings["max_connections"]), number(settings["threads_connected"]), number(settings["max_used_connections"])
	const mend = "raise max_connections, or lower NETICKET_MYSQL_CONNS"
	switch {
	case now > most*9/10:
		d.Fault("mysql.connections", mend, "%d of %d connections are in use", now, most)
	case peak >= most:
		d.Warn("mysql.connections", mend, "all of %d connections were in use once since the server started; others were refused", most)
	case conns > most:
		d.Warn("mysql.connections", mend, "max_connections is %d, and the pools of all processes may grow to %d", most, conns)
	default:
		d.OK("mysql.connections", "%d of %d connections are in use; the pools may grow to %d", now, most, conns)
	}
}

func number(text string) int {
	n, _ := strconv.Atoi(text) // of what is none, 0: it is told with the figure
	return n
}

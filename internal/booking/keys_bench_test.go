package booking_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/devserver"
)

// The flags of BenchmarkKeys and BenchmarkRecord.
var (
	benchRows = flag.Int("rows", 0, "reservations in the table before a benchmark begins")
	benchKeys = flag.String("keys", "", "designs that BenchmarkKeys compares, with commas; empty: all")
	benchKeep = flag.String("keep", "", "folder to keep the servers' data in, so that the next run need not fill its tables")
	benchPool = flag.Int("pool", 256, "MiB of MySQL's buffer pool in benchmarks")
)

// keyDesigns are the keys of table reservations that docs/decisions/0011 compares.
var keyDesigns = []keyDesign{
	{"id", "PRIMARY KEY (id), KEY user_booked (user_id, booked_at), KEY show_user (show_id, user_id)"},
	{"n+id", "n BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, UNIQUE KEY id (id), KEY user_booked (user_id, booked_at), KEY show_user (show_id, user_id)"},
	{"n+show_id", "n BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, UNIQUE KEY show_id (show_id, id), KEY user_booked (user_id, booked_at)"},
	{"show_n+id", "n BIGINT NOT NULL AUTO_INCREMENT, PRIMARY KEY (show_id, n), KEY n (n), UNIQUE KEY id (id), KEY user_booked (user_id, booked_at)"},
	{"show_id", "PRIMARY KEY (show_id, id), KEY user_booked (user_id, booked_at)"},
	{"show_id+id", "PRIMARY KEY (show_id, id), UNIQUE KEY id (id), KEY user_booked (user_id, booked_at)"},
}

type keyDesign struct{ name, keys string }

const keyColumns = `CREATE TABLE reservations (id BINARY(16) NOT NULL, show_id BIGINT NOT NULL, user_id BIGINT NOT NULL, units INT NOT NULL,
	status VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, reason VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
	epoch BIGINT NOT NULL, seq BIGINT NOT NULL, cancel_epoch BIGINT NULL, cancel_seq BIGINT NULL, booked_at DATETIME(3) NOT NULL,
	confirmed_at DATETIME(3) NULL, cancelled_at DATETIME(3) NULL, price BIGINT NULL, `

// BenchmarkKeys records batches of 500 of four shows, with the recorder's statements, into tables that differ in their keys. One
// operation is a batch.
func BenchmarkKeys(b *testing.B) {
	servers, dbs := map[string]*devserver.MariaDB{}, map[string]*sql.DB{}
	designs := slices.DeleteFunc(slices.Clone(keyDesigns), func(d keyDesign) bool {
		return *benchKeys != "" && !slices.Contains(strings.Split(*benchKeys, ","), d.name)
	})
	for _, design := range designs {
		server, db, fresh := benchServer(b, design.name)
		servers[design.name], dbs[design.name] = server, db
		if !fresh {
			continue
		}
		benchExec(b, db, "CREATE TABLE stock (show_id BIGINT PRIMARY KEY, reserved INT NOT NULL)")
		benchExec(b, db, "INSERT INTO stock VALUES (1000001, 0), (1000002, 0), (1000003, 0), (1000004, 0)")
		benchExec(b, db, keyColumns+design.keys+") ENGINE = InnoDB DEFAULT CHARSET = utf8mb4")
		fill(b, server, db, *benchRows)
	}
	for round := range 5 { // in turns, as the machine is not the same from minute to minute
		for _, design := range designs {
			b.Run(fmt.Sprintf("round%d/%s", round+1, design.name), func(b *testing.B) {
				measure(b, servers[design.name], dbs[design.name], func(int) { keyBatch(b, dbs[design.name]) })
			})
		}
	}
}

// keyBatch is one transaction of the recorder, in short: its lock, its insert and its update.
func keyBatch(b *testing.B, db *sql.DB) {
	const size = 500
	show := 1000001 + rand.Int64N(4)
	var values strings.Builder
	for i := range size {
		id := sha256.Sum256(binary.BigEndian.AppendUint64(nil, rand.Uint64()))
		fmt.Fprintf(&values, ",(0x%s,%d,%d,%d,1,2,'confirmed',50000,'2026-05-03 12:00:00.123',UTC_TIMESTAMP(3))", hex.EncodeToString(id[:16]),
			show, rand.Int64N(1_000_000)+1, i)
	}
	err := database.Transact(b.Context(), db, func(tx *sql.Tx) error {
		for _, statement := range []string{
			fmt.Sprintf("SELECT reserved FROM stock WHERE show_id = %d FOR UPDATE", show),
			"INSERT INTO reservations (id, show_id, user_id, seq, epoch, units, status, price, booked_at, confirmed_at) VALUES " + values.String()[1:],
			fmt.Sprintf("UPDATE stock SET reserved = reserved + 500 WHERE show_id = %d", show),
		} {
			if _, err := tx.ExecContext(b.Context(), statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// benchServer starts a MariaDB with the settings of production, but for the size of its buffer pool. It reports whether the
// database is empty: with -keep a folder may hold the rows of an earlier run.
func benchServer(b *testing.B, name string) (*devserver.MariaDB, *sql.DB, bool) {
	b.Helper()
	options := devserver.MariaDBOptions{ExtraArgs: []string{"--innodb-buffer-pool-chunk-size=16M", fmt.Sprintf("--innodb-buffer-pool-size=%dM", *benchPool)}}
	if *benchKeep != "" {
		options.Dir = filepath.Join(*benchKeep, name)
	}
	server, err := devserver.StartMariaDB(b.Context(), options)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Close() })
	db, err := database.Open(server.DSN("neticket")+"?readTimeout=10m", 4)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	var tables int
	if err := db.QueryRowContext(b.Context(), "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()").Scan(&tables); err != nil {
		b.Fatal(err)
	}
	return server, db, tables == 0
}

// fill adds rows as sales make them: a hundred shows at a time, each of 5,000 bookings, by a million users. The server builds the
// indexes at once, and leaves their pages as full as rows in no order would.
func fill(b *testing.B, server *devserver.MariaDB, db *sql.DB, rows int) {
	b.Helper()
	if rows == 0 {
		return
	}
	root, err := sql.Open("mysql", server.RootDSN(""))
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	resize(b, root, 2<<10)
	benchExec(b, root, "SET GLOBAL innodb_fill_factor = 70")
	err = database.Transact(b.Context(), db, func(tx *sql.Tx) error {
		for _, statement := range []string{"SET unique_checks = 0, foreign_key_checks = 0", `INSERT INTO reservations (id, show_id, user_id,
				units, status, reason, epoch, seq, cancel_epoch, cancel_seq, price, booked_at, confirmed_at, cancelled_at)
			SELECT UNHEX(MD5(seq)), 1 + seq DIV 500000 * 100 + seq MOD 100, 1 + CRC32(seq) MOD 1000000, 2,
				IF(seq MOD 50 = 0, 'rejected', IF(seq MOD 20 = 1, 'cancelled', 'confirmed')), IF(seq MOD 50 = 0, 'sold_out', ''),
				1, 1 + seq DIV 100 MOD 5000, IF(seq MOD 20 = 1, 1, NULL), IF(seq MOD 20 = 1, 9000 + seq DIV 100 MOD 5000, NULL),
				50000, '2026-01-01' + INTERVAL seq * 250 MICROSECOND, IF(seq MOD 50 = 0, NULL, '2026-01-01' + INTERVAL seq SECOND),
				IF(seq MOD 20 = 1, '2026-04-01', NULL)
			FROM seq_1_to_` + strconv.Itoa(rows)} {
			if _, err := tx.ExecContext(b.Context(), statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	resize(b, root, *benchPool)
	benchExec(b, root, "ANALYZE TABLE neticket.reservations")
	benchExec(b, root, "SET GLOBAL innodb_max_dirty_pages_pct = 0, GLOBAL innodb_max_dirty_pages_pct_lwm = 0")
	until(b, root, "Innodb_buffer_pool_pages_dirty", func(n int) bool { return n < 100 })
	benchExec(b, root, "SET GLOBAL innodb_max_dirty_pages_pct = DEFAULT, GLOBAL innodb_max_dirty_pages_pct_lwm = DEFAULT")
}

func resize(b *testing.B, root *sql.DB, mib int) {
	b.Helper()
	benchExec(b, root, "SET GLOBAL innodb_buffer_pool_size = "+strconv.Itoa(mib<<20))
	until(b, root, "Innodb_buffer_pool_pages_total", func(pages int) bool { return pages>>6 >= mib*8/10 && pages>>6 <= mib*11/10 })
}

func until(b *testing.B, root *sql.DB, figure string, done func(int) bool) {
	b.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for ; !done(status(b, root, figure)); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("%s is %d", figure, status(b, root, figure))
		}
	}
}

// measure runs b.N batches of 500 and reports rows/s, CPU time of the server, pages read and written per row, and the table's size.
func measure(b *testing.B, server *devserver.MariaDB, db *sql.DB, batch func(n int)) {
	b.Helper()
	const size = 500
	var bytes float64
	if err := db.QueryRowContext(b.Context(), `SELECT data_length + index_length FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_name = 'reservations'`).Scan(&bytes); err != nil {
		b.Fatal(err)
	}
	cpu, read, written := cpuTime(b, server.PID()), status(b, db, "Innodb_pages_read"), status(b, db, "Innodb_pages_written")
	b.ResetTimer()
	for n := range b.N {
		batch(n)
	}
	b.StopTimer()
	rows := float64(b.N * size)
	b.ReportMetric(rows/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric((cpuTime(b, server.PID())-cpu).Seconds()/rows*1000*1000, "ms-mysql/1000")
	b.ReportMetric(float64(status(b, db, "Innodb_pages_read")-read)/rows, "reads/row")
	b.ReportMetric(float64(status(b, db, "Innodb_pages_written")-written)/rows, "writes/row")
	b.ReportMetric(bytes/(1<<20), "MiB")
	b.ReportMetric(0, "ns/op")
}

func status(b *testing.B, db *sql.DB, figure string) (n int) {
	b.Helper()
	var name string
	if err := db.QueryRowContext(b.Context(), "SHOW GLOBAL STATUS LIKE '"+figure+"'").Scan(&name, &n); err != nil {
		b.Fatal(err)
	}
	return n
}

// cpuTime is what the threads of a process have used so far.
func cpuTime(b *testing.B, pid int) (used time.Duration) {
	b.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(threads) == 0 {
		b.Fatalf("threads of process %d: %v", pid, err)
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) { // it has ended meanwhile
			continue
		}
		if err != nil {
			b.Fatal(err)
		}
		var ns int64
		if _, err := fmt.Sscan(string(stat), &ns); err != nil {
			b.Fatal(err)
		}
		used += time.Duration(ns)
	}
	return used
}

func benchExec(b *testing.B, db *sql.DB, statement string) {
	b.Helper()
	if _, err := db.ExecContext(b.Context(), statement); err != nil {
		b.Fatalf("%.200s: %v", statement, err)
	}
}

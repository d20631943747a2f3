package devserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"
)

// MariaDBOptions says how to run a mariadbd. The zero value is good: a temporary server on a free port.
type MariaDBOptions struct {
	Dir       string   // folder of the data; empty: a new temporary one
	Temporary bool     // Dir is removed by Close, or when this process ends
	Port      int      // at 127.0.0.1; 0: a free one
	Fast      bool     // for tests: a commit survives the death of the process, but not of the machine
	Template  string   // a data folder of InitMariaDB to copy, in place of the second it takes to make a new one
	ExtraArgs []string // added to the command line, where the last one of a kind wins
}

// MariaDB is a mariadbd with the database "neticket" and the user "neticket", password "neticket", who owns it and
// every database whose name begins with "neticket_". Commits are durable unless Fast was asked for.
type MariaDB struct {
	server
	socket    string
	socketDir string // temporary, empty if the socket is in the data folder
}

// accountsSQL is run at each start, so that an interrupted first start needs no care. Root has no password, and comes
// through the socket only, which is in a folder that is closed to others.
const accountsSQL = `CREATE DATABASE IF NOT EXISTS neticket CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS neticket@'127.0.0.1' IDENTIFIED BY 'neticket';
CREATE USER IF NOT EXISTS neticket@localhost IDENTIFIED BY 'neticket';
GRANT ALL ON neticket.* TO neticket@'127.0.0.1', neticket@localhost;
GRANT ALL ON ` + "`neticket\\_%`" + `.* TO neticket@'127.0.0.1', neticket@localhost;
DROP USER IF EXISTS root@'127.0.0.1', root@'::1';
`

// The length of a socket's path is limited to 103 bytes on macOS and 107 on Linux.
const maxSocketPath = 100

// StartMariaDB starts a mariadbd, makes its data folder if there is none, and waits until it answers: as long as ctx
// allows, 60 seconds at most. ctx bounds the start, not the life of the server. The error holds the end of the server's
// log, or is ErrNotInstalled.
func StartMariaDB(ctx context.Context, options MariaDBOptions) (*MariaDB, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	m, err := newMariaDB(ctx, options)
	if err != nil {
		return nil, err
	}
	if err := m.Start(ctx); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

func newMariaDB(ctx context.Context, options MariaDBOptions) (*MariaDB, error) {
	binary, err := findBinary("mariadbd")
	if err != nil {
		return nil, err
	}
	m := &MariaDB{server: server{name: "mariadbd", port: options.Port, given: options.Port != 0}}
	m.ready = m.answers
	m.command = func(port int) *exec.Cmd {
		args := append(mariadbArgs(options.Fast),
			"--datadir="+m.dataDir(), "--bind-address=127.0.0.1", "--port="+strconv.Itoa(port),
			"--socket="+m.socket, "--pid-file="+filepath.Join(m.dir, "mariadbd.pid"),
			"--tmpdir="+m.tmpDir(), "--init-file="+m.accountsFile())
		return exec.Command(binary, append(args, options.ExtraArgs...)...) //nolint:gosec,noctx // found by us, ended by us
	}
	if err := m.prepare(ctx, options); err != nil {
		return nil, errors.Join(fmt.Errorf("start mariadbd: %w", err), m.Close())
	}
	return m, nil
}

func (m *MariaDB) prepare(ctx context.Context, options MariaDBOptions) error {
	if err := m.prepareDir(options.Dir, options.Temporary); err != nil {
		return err
	}
	if err := prepareData(ctx, m.dataDir(), options); err != nil {
		return err
	}
	// A mariadbd that starts removes all temporary tables it finds in its tmpdir. In /tmp, those of others.
	if err := os.MkdirAll(m.tmpDir(), 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if err := os.WriteFile(m.accountsFile(), []byte(accountsSQL), 0o600); err != nil {
		return fmt.Errorf("write accounts: %w", err)
	}
	m.socket = filepath.Join(m.dir, "mariadbd.sock")
	if len(m.socket) > maxSocketPath {
		var err error
		if m.socketDir, err = tempDir("/tmp", "neticket-"); err != nil {
			return err
		}
		m.socket = filepath.Join(m.socketDir, "mariadbd.sock")
	}
	return nil
}

// mariadbArgs are the settings that a server and the making of its data folder share. Memory is kept small; what
// matters to correctness is as in production.
func mariadbArgs(fast bool) []string {
	args := []string{
		"--no-defaults", // must be first: nothing in /etc/mysql is about us
		"--skip-name-resolve",
		"--character-set-server=utf8mb4",
		"--max-connections=500",
		"--skip-log-bin",
		"--innodb-use-native-aio=0", // containers often forbid it
		"--innodb-buffer-pool-dump-at-shutdown=0",
		"--innodb-buffer-pool-load-at-startup=0",
		"--key-buffer-size=1M",
		"--aria-pagecache-buffer-size=8M",
	}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root") // else it refuses
	}
	if fast {
		return append(args, "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M",
			"--innodb-flush-log-at-trx-commit=2", "--innodb-doublewrite=0")
	}
	return append(args, "--innodb-buffer-pool-size=256M", "--innodb-log-file-size=128M",
		"--innodb-flush-log-at-trx-commit=1")
}

// answers is also the proof that it is ours: only our server has our socket.
func (m *MariaDB) answers(ctx context.Context, port, _ int) error {
	config := m.config("neticket", port)
	config.Timeout, config.ReadTimeout = time.Second, time.Second
	config.Logger = &mysql.NopLogger{} // it is normal that connections fail until the server is up
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	var socket string
	if err := db.QueryRowContext(ctx, "SELECT @@socket").Scan(&socket); err != nil {
		return err
	}
	if socket != m.socket {
		return fmt.Errorf("another server answers, with the socket %s", socket)
	}
	return nil
}

func (m *MariaDB) config(database string, port int) *mysql.Config {
	config := mysql.NewConfig()
	config.User, config.Passwd = "neticket", "neticket"
	config.Net, config.Addr = "tcp", localAddr(port)
	config.DBName = database
	return config
}

// DSN is for go-sql-driver/mysql: the user neticket over TCP. An empty database chooses none.
func (m *MariaDB) DSN(database string) string { return m.config(database, m.Port()).FormatDSN() }

// RootDSN is for go-sql-driver/mysql: root, who may do anything, over the socket. An empty database chooses none.
func (m *MariaDB) RootDSN(database string) string {
	config := mysql.NewConfig()
	config.User, config.Net, config.Addr, config.DBName = "root", "unix", m.socket, database
	return config.FormatDSN()
}

// Socket is the path of the unix socket, for `mariadb --socket`.
func (m *MariaDB) Socket() string { return m.socket }

// Close ends the server for good: a temporary one is killed and its folder removed, any other stopped cleanly within
// 15 seconds.
func (m *MariaDB) Close() error {
	err := m.server.Close()
	if m.socketDir != "" {
		err = errors.Join(err, removeTempDir(m.socketDir))
	}
	return err
}

func (m *MariaDB) dataDir() string { return filepath.Join(m.dir, "data") }

func (m *MariaDB) tmpDir() string { return filepath.Join(m.dir, "tmp") }

func (m *MariaDB) accountsFile() string { return filepath.Join(m.dir, "accounts.sql") }

-- +goose Up
CREATE TABLE redis_servers (
  shard          INT         NOT NULL PRIMARY KEY,
  run_id         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  replication_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- +goose Down
DROP TABLE redis_servers;

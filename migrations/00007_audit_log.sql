-- +goose Up
CREATE TABLE audit_log (
  id         BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  at         DATETIME(3)  NOT NULL,
  actor_id   BIGINT       NOT NULL,
  action     VARCHAR(64)  NOT NULL,
  object     VARCHAR(128) NOT NULL,
  details    TEXT         NOT NULL,
  ip         VARCHAR(64)  NOT NULL,
  request_id VARCHAR(64)  NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- +goose Down
DROP TABLE audit_log;

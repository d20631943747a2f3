-- +goose Up
CREATE TABLE stock_snapshots (
  show_id BIGINT      NOT NULL PRIMARY KEY,
  epoch   BIGINT      NOT NULL,
  `left`  INT         NOT NULL,
  as_of   DATETIME(6) NOT NULL -- by Redis's clock
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- +goose Down
DROP TABLE stock_snapshots;

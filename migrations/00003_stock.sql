-- +goose Up
CREATE TABLE stock (
  show_id        BIGINT NOT NULL PRIMARY KEY,
  capacity       INT    NOT NULL,
  limit_per_user INT    NOT NULL, -- 0: none
  reserved       INT    NOT NULL,
  epoch          BIGINT NOT NULL,
  CONSTRAINT stock_capacity CHECK (capacity >= 0),
  CONSTRAINT stock_reserved CHECK (reserved >= 0 AND reserved <= capacity)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- +goose Down
DROP TABLE stock;

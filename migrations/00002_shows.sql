-- +goose Up
CREATE TABLE shows (
  id             BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  title          VARCHAR(200) NOT NULL,
  venue          VARCHAR(200) NOT NULL,
  description    TEXT         NOT NULL,
  image          VARCHAR(255) NOT NULL DEFAULT '',
  image_alt      VARCHAR(300) NOT NULL DEFAULT '',
  price          BIGINT       NOT NULL, -- won
  time_zone      VARCHAR(64)  NOT NULL,
  starts_at      DATETIME(3)  NOT NULL,
  sales_open_at  DATETIME(3)  NOT NULL,
  sales_close_at DATETIME(3)  NOT NULL,
  version        BIGINT       NOT NULL DEFAULT 1, -- of the sale times; Redis keeps the newest it has seen
  created_at     DATETIME(3)  NOT NULL,
  updated_at     DATETIME(3)  NOT NULL,
  KEY starts_at (starts_at),
  KEY updated_at (updated_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- +goose Down
DROP TABLE shows;

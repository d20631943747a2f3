-- +goose Up
CREATE TABLE reservations (
  id           BINARY(16)  NOT NULL PRIMARY KEY,
  show_id      BIGINT      NOT NULL,
  user_id      BIGINT      NOT NULL,
  units        INT         NOT NULL,
  status       VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reason       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  epoch        BIGINT      NOT NULL, -- with seq: the entry that took the units
  seq          BIGINT      NOT NULL,
  cancel_epoch BIGINT      NULL,     -- with cancel_seq: the entry that cancelled it
  cancel_seq   BIGINT      NULL,
  booked_at    DATETIME(3) NOT NULL, -- by Redis's clock
  confirmed_at DATETIME(3) NULL,
  cancelled_at DATETIME(3) NULL,
  KEY user_booked (user_id, booked_at),
  KEY show_user (show_id, user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- +goose Down
DROP TABLE reservations;

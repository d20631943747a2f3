-- +goose Up
ALTER TABLE audit_log
  ADD COLUMN deed VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL, -- whose transaction may be begun again, and leaves one record
  ADD UNIQUE KEY deed (deed);

-- +goose Down
ALTER TABLE audit_log DROP COLUMN deed;

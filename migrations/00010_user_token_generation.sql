-- +goose Up
ALTER TABLE users
  ADD COLUMN token_generation INT NOT NULL DEFAULT 0, -- tokens of an earlier one are refused
  ADD COLUMN tokens_revoked_at DATETIME(3) NULL,      -- when the generation rose, by MySQL's clock
  ADD KEY tokens_revoked_at (tokens_revoked_at);

-- +goose Down
ALTER TABLE users DROP COLUMN token_generation, DROP COLUMN tokens_revoked_at;

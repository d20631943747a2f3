-- +goose Up
ALTER TABLE reservations ADD COLUMN price BIGINT NULL; -- of one unit when it was recorded, in won: the show's may change

-- +goose Down
ALTER TABLE reservations DROP COLUMN price;

-- +goose Up
UPDATE reservations SET price = (SELECT shows.price FROM shows WHERE shows.id = reservations.show_id) WHERE price IS NULL;

-- +goose Down
UPDATE reservations SET price = NULL;

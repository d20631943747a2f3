-- +goose Up
-- One statement, so that both servers rebuild the table while rows are written to it. It may run twice.
ALTER TABLE reservations
  DROP PRIMARY KEY, ADD PRIMARY KEY (show_id, id), -- an id has its show in its hash: it is unique in both
  DROP KEY user_booked, ADD KEY user_booked (user_id, booked_at, id);

-- +goose Down
ALTER TABLE reservations
  DROP PRIMARY KEY, ADD PRIMARY KEY (id),
  DROP KEY user_booked, ADD KEY user_booked (user_id, booked_at);

-- +goose Up
ALTER TABLE reservations DROP KEY show_user; -- its show's rows lie together, and a user's are found by user_booked

-- +goose Down
ALTER TABLE reservations ADD KEY show_user (show_id, user_id);

package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
)

// bookings is how many reservations the customer of the booking page has.
const bookings = 20

// asBrowser are headers that a browser sends with each request, as far as pages heed them.
var asBrowser = http.Header{"Accept": {"text/html"}, "Accept-Language": {"ko-KR,ko;q=0.9,en;q=0.8"}}

// pages asks for three pages as a browser does: the home page and those of the given shows as nobody who is logged in, and those of a
// customer's bookings.
func (p *prober) pages(ctx context.Context, shows []int64) ([]target, error) {
	customer, err := p.signUp(ctx)
	if err != nil {
		return nil, err
	}
	home := target{name: "reading/home-page", what: "in HTML, of nobody who is logged in", headers: asBrowser, requests: []string{"GET /"}}
	detail := target{name: "reading/show-page", what: fmt.Sprintf("in HTML, of %d shows, of nobody who is logged in", len(shows)), headers: asBrowser}
	for _, id := range shows {
		detail.requests = append(detail.requests, fmt.Sprint("GET /shows/", id))
	}
	booked := target{name: "reading/booking-page", headers: customer}
	for _, id := range shows[:min(bookings, len(shows))] {
		reservation, err := p.book(ctx, id, customer)
		if err != nil {
			return nil, err
		}
		booked.requests = append(booked.requests, fmt.Sprintf("GET /shows/%d/reservations/%s", id, reservation))
	}
	booked.what = fmt.Sprintf("in HTML, of %d confirmed reservations of a customer who is logged in; it reads MySQL", len(booked.requests))
	targets := []target{home, detail, booked}
	for i := range targets {
		targets[i].url, targets[i].connections = p.url, 64
		if err := p.try(ctx, targets[i]); err != nil {
			return nil, err
		}
	}
	return targets, nil
}

// signUp makes an account, as the form in a browser does, and returns the headers of the customer's requests.
func (p *prober) signUp(ctx context.Context) (http.Header, error) {
	form := url.Values{"name": {"Bench"}, "email": {"bench@neticket.test"}, "password": {rand.Text()}}
	answer, err := p.send(ctx, "POST /signup "+form.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, http.StatusSeeOther)
	if err != nil {
		return nil, err
	}
	headers := asBrowser.Clone()
	for _, cookie := range answer.cookies {
		headers.Add("Cookie", cookie.Name+"="+cookie.Value)
	}
	return headers, nil
}

// book books a unit of a show, waits until that is recorded, and returns the reservation's id.
func (p *prober) book(ctx context.Context, show int64, customer http.Header) (id string, err error) {
	headers := http.Header{"Content-Type": {"application/json"}, "Prefer": {"wait=10"}}
	maps.Copy(headers, customer)
	answer, err := p.send(ctx, fmt.Sprintf(`POST /api/v1/shows/%d/reservations {"units":1}`, show), headers, http.StatusCreated)
	if err != nil {
		return "", err
	}
	var booked struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(answer.body, &booked); err != nil {
		return "", fmt.Errorf("read a reservation: %w", err)
	}
	return booked.ID, nil
}

// try sends each request of a target once: wrk counts what leads elsewhere, such as to a login, as answered.
func (p *prober) try(ctx context.Context, t target) error {
	for _, request := range t.requests {
		if _, err := p.send(ctx, request, t.headers, http.StatusOK); err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// serveFloor is the floor: an Echo handler that binds the JSON body and answers a small JSON, no I/O. Everything is compared with
// it, reading too, though a GET has no body to bind: there is one floor.
func serveFloor(args []string) error {
	return serve(args[0], func(context.Context) error { return nil })
}

// serve answers as the references do: it binds a JSON body, calls book, and answers a small JSON.
func serve(addr string, book func(context.Context) error) error {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.POST("/", func(c echo.Context) error {
		var body struct {
			Units int `json:"units"`
		}
		if err := c.Bind(&body); err != nil {
			return err
		}
		if err := book(c.Request().Context()); err != nil {
			return err
		}
		return c.JSON(http.StatusAccepted, struct {
			Status string `json:"status"`
			Units  int    `json:"units"`
		}{"pending", body.Units})
	})
	server := http.Server{Addr: addr, Handler: e, ReadHeaderTimeout: 5 * time.Second}
	return server.ListenAndServe()
}

// referenceRequest is what floor and lock are asked.
const referenceRequest = `POST / {"units":2}`

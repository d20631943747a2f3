package main

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// serveFloor is the floor: an Echo handler that binds the JSON body and answers a small JSON, no I/O. Everything is compared to it,
// reading too, though a GET has no body to bind: there is one floor. It is a process of its own, as the API is.
func serveFloor(addr string) error {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.POST("/", func(c echo.Context) error {
		var body struct {
			Units int `json:"units"`
		}
		if err := c.Bind(&body); err != nil {
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

// floorRequest is what it is asked.
const floorRequest = `POST / {"units":2}`

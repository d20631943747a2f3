package web

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// apiPath is where the JSON interface lies.
const apiPath = "/api/v1"

// route says what answers where. What needs a login is wrapped in signedIn; below the admin path guardAdmin asks for an
// admin, whatever is registered there.
func (s *Server) route() {
	api := s.echo.Group(apiPath)

	api.POST("/signup", inTime(s.signUp))
	api.POST("/login", inTime(s.logIn))
	api.POST("/logout", s.logOut)
	get(api, "/me", s.signedIn(s.me))
	api.POST("/me/password", s.signedIn(s.changePassword))

	get(api, "/shows", s.listShows)
	get(api, "/shows/:id", s.getShow)
	api.GET("/stock/stream", s.streamStock)

	api.POST("/shows/:id/reservations", s.untimed(s.reserve))
	get(api, reservationsPath, s.signedIn(s.listReservations))
	for _, path := range []string{reservationRoute, oldReservationRoute} {
		get(api, path, s.signedIn(s.getReservation))
		api.DELETE(path, s.signedIn(s.cancelReservation))
	}

	admin := api.Group("/admin")
	admin.POST("/shows", s.signedIn(s.createShow))
	admin.PUT("/shows/:id", s.signedIn(s.updateShow))
	admin.PUT("/shows/:id/image", s.signedIn(s.setImage))
	admin.POST("/shows/:id/stock/resync", s.signedIn(s.resyncStock))
	get(admin, "/stock", s.signedIn(s.listStock))
	get(admin, "/audit", s.signedIn(s.listAudit))
	get(admin, "/dead-letters", s.signedIn(s.listDeadLetters))
	admin.DELETE("/dead-letters/:id", s.signedIn(s.dropDeadLetter))

	get(s.echo.Group("/images"), "/:file", s.getImage)

	get(s.echo.Group("/api"), "/openapi.yaml", s.getDocument)
	get(s.echo.Group("/docs"), "", s.getDocs)
	s.routePages()
}

// get also answers HEAD; net/http leaves the body out.
func get(group *echo.Group, path string, handle echo.HandlerFunc) {
	group.Match([]string{http.MethodGet, http.MethodHead}, path, handle)
}

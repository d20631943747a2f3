package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// proxies are the networks of the proxies in front of us, whose word about the client counts. Anyone else's
// X-Forwarded-* headers are ignored: they are written by the client.
type proxies []netip.Prefix

// client returns the address that a request comes from: the peer, or, where the peer is trusted, the last address of
// X-Forwarded-For that is not a proxy of ours. It is the zero Addr for a peer without an IP address.
func (p proxies) client(r *http.Request) netip.Addr {
	address := peer(r)
	if !p.trust(address) {
		return address
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && p.trust(address); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break // what is left of garbage was not written by a proxy of ours
		}
		address = hop.Unmap().WithZone("")
	}
	return address
}

// secure tells whether the client speaks TLS, to us or to a trusted proxy.
func (p proxies) secure(r *http.Request) bool {
	return r.TLS != nil || p.trust(peer(r)) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

func (p proxies) trust(address netip.Addr) bool {
	for _, network := range p {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

func peer(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return peer.Addr().Unmap().WithZone("")
}

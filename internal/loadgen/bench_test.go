package loadgen

import (
	"io"
	"net/http"
	"testing"
)

// BenchmarkRequest is the cost of a request, the server's included, next to that of net/http's client.
func BenchmarkRequest(b *testing.B) {
	addr := serve(b, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })
	b.Run("loadgen", func(b *testing.B) {
		b.ReportAllocs()
		g := generator(b, Options{Addr: addr, Connections: 64, Keep: true})
		err := g.Run(b.Context(), Load{Requests: b.N,
			Request:  func(b []byte, _, _ int) Request { return get(b, "/") },
			Answered: func(_, _ int, _ Answer) Again { return Again{} }})
		if err != nil {
			b.Fatal(err)
		}
	})
	b.Run("net-http", func(b *testing.B) {
		b.ReportAllocs()
		client := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
		defer client.CloseIdleConnections()
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				answer, err := client.Get("http://" + addr)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
			}
		})
	})
}

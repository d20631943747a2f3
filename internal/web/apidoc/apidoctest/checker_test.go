package apidoctest

import (
	"testing"
)

func TestTry(t *testing.T) {
	c, err := Shared()
	if err != nil {
		t.Fatal(err)
	}
	_ = c
	t.Log(c.Value("Snapshot", []byte(`{"left":1,"as_of":"x","z":1}`)))
	t.Log(c.Value("Problem", []byte(`{"type":"/problems/x","title":"x","status":409,"detail":"x","code":"sold_out","request_id":"r","held":3}`)))
}

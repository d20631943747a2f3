package page

import (
	"testing"
	"time"
)

// A zone is read once; what is none is UTC, and is not kept, as anybody may make up as many as he likes.
func TestZone(t *testing.T) {
	t.Parallel()
	first := Zone("Asia/Seoul")
	if again := Zone("Asia/Seoul"); first.String() != "Asia/Seoul" || first != again {
		t.Errorf("%v, then %v", first, again)
	}
	if none := Zone("Asia/Nowhere"); none != time.UTC {
		t.Errorf("got %v", none)
	}
	if _, kept := zonesRead.Load("Asia/Nowhere"); kept {
		t.Error("a zone that is none is kept")
	}
}

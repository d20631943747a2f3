package stream_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stream"
)

// Where nothing was sold yet, a reader waits for the group and makes nothing.
func TestReaderWaitsForItsGroup(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := newReader(t, d, stream.Options{Consumer: "w1"})
	r.start(t)
	servertest.Eventually(t, 10*time.Second, "it has looked a few times", func() bool { return r.of("xreadgroup")+r.of("xautoclaim") >= 6 })
	if n := d.Exists(t.Context(), shards[0].Entries, shards[1].Entries).Val(); n != 0 {
		t.Errorf("it made %d streams", n)
	}
	if n := d.told(0) + d.told(1); n != 0 {
		t.Errorf("it told %d times of streams that never were", n)
	}
	d.open(t, 1)
	d.add(t, 1, 1, 2)
	d.gets(t, 1, 2)
}

func TestReaderTellsOfWhatVanished(t *testing.T) {
	t.Parallel()
	for name, vanish := range map[string]func(t *testing.T, d *desk){
		"the group": func(t *testing.T, d *desk) {
			if err := d.XGroupDestroy(t.Context(), shards[0].Entries, group).Err(); err != nil {
				t.Error(err)
			}
		},
		"the stream": func(t *testing.T, d *desk) { d.Del(t.Context(), shards[0].Entries) },
		"everything": func(t *testing.T, d *desk) { d.FlushAll(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.open(t)
			newReader(t, d, stream.Options{Consumer: "w1"}).start(t)
			d.add(t, 0, 1, 2)
			d.gets(t, 0, 2)
			vanish(t, d)
			servertest.Eventually(t, 10*time.Second, "it is told, more than once", func() bool { return d.told(0) >= 2 })
			if groups, err := d.XInfoGroups(t.Context(), shards[0].Entries).Result(); err == nil && len(groups) > 0 {
				t.Errorf("the reader made %v", groups)
			}
			if n := d.told(1); n > 0 && name != "everything" {
				t.Errorf("told %d times of the other shard", n)
			}
			// Its owner makes it anew, at 0: nothing that is there is skipped.
			if name == "the group" {
				d.add(t, 0, 3, 4)
			}
			d.open(t, 0)
			d.add(t, 0, 5, 6)
			want := []string{"0:1", "0:2", "0:3", "0:4", "0:5", "0:6"}
			if name != "the group" {
				want = append(want[:2], want[4:]...)
			}
			d.gets(t, 0, len(want))
			if diff := cmp.Diff(want, d.handed(0)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A stream without its group is never complete: that is told at once.
func TestReaderTellsOfAStreamWithoutGroup(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.add(t, 1, 1, 2)
	newReader(t, d, stream.Options{Consumer: "w1"}).start(t)
	servertest.Eventually(t, 10*time.Second, "it is told", func() bool { return d.told(1) > 0 })
	if n := d.told(0); n != 0 {
		t.Errorf("told %d times of a stream that never was", n)
	}
}

// A reader goes on when its server is back.
func TestReaderOutlivesItsServer(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open(t)
	newReader(t, d, stream.Options{Consumer: "w1"}).start(t)
	d.add(t, 0, 1, 2)
	d.gets(t, 0, 2)
	if err := d.server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := d.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	servertest.Eventually(t, 10*time.Second, "the server answers", func() bool { return d.Ping(t.Context()).Err() == nil })
	d.XGroupCreateMkStream(t.Context(), shards[0].Entries, group, "0") // where the kill lost it
	d.add(t, 0, 3, 4)
	servertest.Eventually(t, 15*time.Second, "it reads on", func() bool {
		handed := d.handed(0)
		return len(handed) > 0 && handed[len(handed)-1] == "0:4"
	})
}
